"""Metrics by hand, and against scikit-learn."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import r2_score

from prunekit.core.tasks import TASKS
from prunekit.training.losses import DISTANCES, LOSSES
from prunekit.training.metrics import METRICS, R2, Accuracy, wilson


def test_every_task_names_a_metric_and_a_loss_that_are_there():
    for task in TASKS.values():
        assert METRICS[task.metric].name == task.metric
        assert task.loss in LOSSES


def test_two_right_of_three_is_two_thirds_over_all_batches():
    accuracy = Accuracy()
    accuracy.add(torch.tensor([[1.0, 0.0], [1.0, 0.0]]), torch.tensor([0, 1]))
    accuracy.add(torch.tensor([[0.0, 1.0]]), torch.tensor([1]))
    assert (accuracy.value, accuracy.n) == (2 / 3, 3)


def test_wilsons_interval_of_8_in_10_is_that_of_the_textbook():
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)


@given(st.integers(1, 10_000), st.data())
def test_wilsons_interval_holds_the_share_and_stays_between_0_and_1(n, data):
    successes = data.draw(st.integers(0, n))
    low, high = wilson(successes, n)
    assert 0 <= low <= successes / n <= high <= 1
    assert low < high


def test_nothing_is_known_of_no_examples():
    assert Accuracy().interval() == (0, 1)


def r2(outputs, targets, batch=2):
    metric = R2()
    for o, t in zip(torch.tensor(outputs).split(batch), torch.tensor(targets).split(batch), strict=True):
        metric.add(o, t)
    return metric


def test_predicting_the_mean_explains_nothing_and_the_truth_everything():
    assert r2([2.0, 2.0, 2.0], [1.0, 2.0, 3.0]).value == 0
    assert r2([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]).value == 1
    assert r2([3.0, 3.0], [2.0, 2.0]).value == 0


def test_r2_is_that_of_scikit_learn_also_for_outputs_in_a_column():
    random = np.random.default_rng(0)
    targets = random.normal(5, 2, 50)
    outputs = targets + random.normal(0, 1, 50)
    metric = R2()
    metric.add(torch.tensor(outputs).view(50, 1), torch.tensor(targets))
    assert metric.value == pytest.approx(r2_score(targets, outputs), abs=1e-12)
    low, high = metric.interval()
    assert low < metric.value < high < 1
    assert metric.interval() == (low, high)


def test_a_column_of_outputs_is_not_broadcast_against_a_row_of_targets():
    loss = LOSSES["mean_squared_error"](torch.tensor([[1.0], [2.0]]), torch.tensor([1.0, 4.0]))
    assert float(loss) == 2.0


def test_the_distance_to_a_teacher_is_the_divergence_of_softened_answers_times_the_temperature_squared():
    outputs, answers = torch.tensor([[2.0, 0.0], [0.0, 0.0]]), torch.tensor([[0.0, 4.0], [0.0, 0.0]])
    # Softened at 2: the teacher says sigmoid(-2), the net sigmoid(1); on the second example they agree.
    theirs, own = 1 / (1 + math.exp(2)), 1 / (1 + math.exp(-1))
    divergence = theirs * math.log(theirs / own) + (1 - theirs) * math.log((1 - theirs) / (1 - own))
    distance = DISTANCES["cross_entropy"](outputs, answers, 2.0)
    assert float(distance) == pytest.approx(4 * divergence / 2, rel=1e-5)
    assert float(DISTANCES["cross_entropy"](answers, answers, 2.0)) == pytest.approx(0, abs=1e-6)


def test_the_distance_to_a_teacher_of_numbers_is_squared():
    assert float(DISTANCES["mean_squared_error"](torch.tensor([[1.0], [2.0]]), torch.tensor([[1.0], [4.0]]), 9.0)) == 2


def test_label_smoothing_spreads_its_share_over_all_classes():
    outputs, targets = torch.tensor([[2.0, 0.0]]), torch.tensor([0])
    right, wrong = (-outputs.log_softmax(1)[0]).tolist()
    smoothed = LOSSES["cross_entropy"](outputs, targets, 0.2)
    assert float(smoothed) == pytest.approx(0.9 * right + 0.1 * wrong, abs=1e-6)
