"""Evaluation: right numbers, and nothing of the model changed."""

import pytest
import torch
from torch import nn

from prunekit.core.errors import BadSetting, Stopped
from prunekit.core.tasks import CLASSIFICATION, REGRESSION
from prunekit.training import evaluate

# The identity as a classifier of two-dimensional points: right wherever the larger coordinate is the target.
POINTS = torch.tensor([[2.0, 1.0], [0.0, 1.0], [3.0, 0.0], [1.0, 5.0]])
CLASSES = torch.tensor([0, 1, 1, 1])


def test_three_right_of_four_with_its_interval_and_loss():
    seen = evaluate(nn.Identity(), [(POINTS[:3], CLASSES[:3]), (POINTS[3:], CLASSES[3:])], CLASSIFICATION)
    assert (seen.metric, seen.value, seen.n) == ("accuracy", 0.75, 4)
    assert 0 < seen.low < 0.75 < seen.high < 1
    # The mean over examples, though the batches differ in size.
    assert seen.loss == pytest.approx(float(nn.functional.cross_entropy(POINTS, CLASSES)), abs=1e-6)


def test_the_metric_is_that_of_the_task():
    seen = evaluate(nn.Identity(), [(POINTS[:, :1], POINTS[:, 0])], REGRESSION)
    assert (seen.metric, seen.value, seen.loss) == ("r2", 1.0, 0.0)


def test_modes_statistics_and_gradients_are_left_as_they_were():
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Dropout(0.5)).train()
    model[2].eval()
    model(POINTS).sum().backward()
    state = {name: t.clone() for name, t in model.state_dict().items()}
    gradient = model[0].weight.grad.clone()
    evaluate(model, [(POINTS, CLASSES)], CLASSIFICATION)
    assert [module.training for module in model.modules()] == [True, True, True, False]
    assert all(torch.equal(t, state[name]) for name, t in model.state_dict().items())
    assert torch.equal(model[0].weight.grad, gradient)
    assert not POINTS.requires_grad


def test_dropout_and_batch_statistics_play_no_part():
    model = nn.Sequential(nn.BatchNorm1d(2, affine=False), nn.Dropout(0.9)).train()
    assert evaluate(model, [(POINTS, CLASSES)], CLASSIFICATION).value == 0.75


def test_a_stop_is_seen_between_batches_and_the_mode_is_put_back():
    seen = []

    class Seeing(nn.Identity):
        def forward(self, x):
            seen.append(len(x))
            return x

    model = Seeing().train()
    with pytest.raises(Stopped):
        evaluate(model, [(POINTS, CLASSES)] * 3, CLASSIFICATION, should_stop=lambda: len(seen) == 2)
    assert len(seen) == 2
    assert model.training


def test_nothing_to_evaluate_on_is_said():
    with pytest.raises(BadSetting, match="no examples"):
        evaluate(nn.Identity(), [], CLASSIFICATION)
