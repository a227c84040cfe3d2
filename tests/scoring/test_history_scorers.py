"""Scorers that look at a training: against what really moved in one."""

import copy
import itertools

import pytest
import torch

from prunekit.core.errors import CannotScore, NeedsData
from prunekit.core.recipe import Training
from prunekit.core.tasks import CLASSIFICATION
from prunekit.scoring import score
from prunekit.training import WeightHistory, train


class Whole:
    """Twelve examples of three classes as one batch."""

    generator = torch.Generator().manual_seed(0)
    inputs, targets = torch.randn(12, 3, 8, 8, generator=generator), torch.arange(12) % 3

    def __len__(self):
        return len(self.targets)

    def batches(self, size, shuffle=False, seed=0, augment=False):
        yield self.inputs, self.targets


PLAIN_STEPS = Training(
    epochs=5, learning_rate=0.1, decay="constant", momentum=0.0, weight_decay=0.0, precision="float32", batch_size=12
)


@pytest.fixture
def trained(plain):
    """A net after five plain steps of gradient descent, its history, and its weights before and after each step."""
    history = WeightHistory(plain, ["hidden.weight", "conv.weight", "answer.weight"])
    path = [copy.deepcopy(plain.state_dict())]
    plain.dropout.p = 0.0
    train(
        plain,
        Whole(),
        CLASSIFICATION,
        PLAIN_STEPS,
        history=history,
        on_epoch=lambda state: path.append(
            {n.removeprefix("model/"): t for n, t in state["tensors"].items() if n.startswith("model/")}
        ),
    )
    return plain, {"start": history.start, "pull": history.pull}, path


def test_movement_adds_up_where_each_step_of_gradient_descent_went(trained):
    net, history, path = trained
    scores = score(net, "movement", history=history)
    for name, found in scores.items():
        # Without momentum and decay a step is -rate times the gradient.
        wanted = sum(w[name] * (v[name] - w[name]) / 0.1 for w, v in itertools.pairwise(path))
        assert torch.allclose(found, wanted, rtol=1e-3, atol=1e-6)
        assert {-1.0, 1.0} <= set(found.sign().unique().tolist())


def test_magnitude_increase_is_how_much_larger_a_weight_is_than_before(trained):
    net, history, path = trained
    scores = score(net, "magnitude_increase", history=history)
    for name, found in scores.items():
        assert torch.equal(found, net.get_parameter(name).detach().abs() - path[0][name].abs())
        assert found.abs().max() > 0
    rows = score(net, "magnitude_increase", granularity="row", history=history)["hidden.weight"]
    assert torch.allclose(rows, scores["hidden.weight"].sum(1), atol=1e-6)


@pytest.mark.parametrize("name", ["movement", "magnitude_increase"])
def test_without_a_history_nothing_else_is_scored_in_its_place(plain, batches, name):
    with pytest.raises(NeedsData, match="only a run has an answer"):
        score(plain, name, calibration=batches)


def test_the_history_of_another_network_is_refused(plain):
    with pytest.raises(CannotScore, match=r"says nothing of conv\.weight"):
        score(plain, "movement", history={"pull": {"conv.weight": torch.zeros(2, 2)}})
