"""What becomes of the scores that several layers give the same channel, and of layers against each other."""

import pytest
import torch
from torch import nn

from prunekit.core.errors import BadSetting
from prunekit.core.tasks import REGRESSION
from prunekit.scoring import SCORERS, score
from prunekit.scoring.base import REDUCTIONS, Coupled
from tests.scoring.asking import ask

COUPLED = [name for name, scorer in SCORERS.items() if issubclass(scorer, Coupled)]


class Sum(nn.Module):
    """Two layers make the channels together, and two read them."""

    input_shape = (2,)

    def __init__(self):
        super().__init__()
        self.one, self.other = nn.Linear(2, 3, bias=False), nn.Linear(2, 3, bias=False)
        self.first, self.second = nn.Linear(3, 1, bias=False), nn.Linear(3, 1, bias=False)
        self.one.weight.data = torch.tensor([[1.0, 2.0], [-3.0, 0.0], [5.0, 5.0]])
        self.other.weight.data = torch.tensor([[4.0, -5.0], [1.0, 0.0], [1.0, 1.0]])
        self.first.weight.data = torch.tensor([[1.0, 1.0, 1.0]])
        self.second.weight.data = torch.tensor([[-1.0, 1.0, 0.0]])

    def forward(self, x):
        x = self.one(x) + self.other(x)
        return torch.cat([self.first(x), self.second(x)], 1)


def scores(name, **knobs) -> list[float]:
    batch = [(torch.tensor([[1.0, 1.0]]), torch.tensor([[11.0, -5.0]]))]
    (found,) = score(Sum(), name, granularity="channel", calibration=batch, task=REGRESSION, **knobs).values()
    return found.tolist()


@pytest.mark.parametrize(("reduction", "wanted"), [("sum", [12, 4, 12]), ("mean", [6, 2, 6]), ("max", [9, 3, 10])])
def test_the_magnitudes_of_two_layers_become_one(reduction, wanted):
    # |1| + |2| and |4| + |-5|; 3 and 1; 10 and 2.
    assert scores("magnitude", reduction=reduction) == wanted


@pytest.mark.parametrize(("reduction", "wanted"), [("sum", [0, 4, 12]), ("mean", [0, 2, 6]), ("max", [2, 2, 12])])
def test_what_two_readers_gain_and_lose_cancels_out_unless_the_largest_is_taken(reduction, wanted):
    # The channels are 2, -2 and 12, the answers 12 and -4, each 1 more than wanted: of the mean of two squares dL/dy
    # is 1 for both. Of the first channel one reader says 2 and the other -2, of the second both say -2.
    assert scores("taylor", reduction=reduction) == wanted


@pytest.mark.parametrize(("normalisation", "by"), [("mean", 28 / 3), ("max", 12)])
def test_a_group_is_divided_by_its_mean_or_its_largest(normalisation, by):
    assert scores("magnitude", normalisation=normalisation) == pytest.approx([12 / by, 4 / by, 12 / by])


def test_sizes_are_what_signed_scores_are_divided_by(net, batches):
    plain = score(net, "grasp", granularity="channel", calibration=batches)
    found = score(net, "grasp", granularity="channel", calibration=batches, normalisation="mean")
    for name, entry in plain.items():
        assert torch.allclose(found[name], entry / entry.abs().mean())


def test_batches_are_averaged_before_groups_are_divided(plain, batches):
    found = score(plain, "taylor", granularity="channel", calibration=batches, normalisation="max")
    assert all(entry.max().item() == pytest.approx(1) for entry in found.values())


def test_a_group_of_zeros_stays_zero():
    net = Sum()
    for layer in (net.one, net.other):
        nn.init.zeros_(layer.weight)
    (found,) = score(net, "magnitude", granularity="channel", normalisation="mean").values()
    assert found.tolist() == [0, 0, 0]


@pytest.mark.parametrize("name", COUPLED)
def test_where_nothing_is_coupled_the_reduction_makes_no_difference(plain, batches, name):
    by = [ask(plain, name, granularity="channel", calibration=batches, reduction=r) for r in REDUCTIONS]
    assert all(torch.allclose(by[0][n], other[n], rtol=1e-5) for other in by[1:] for n in other)


@pytest.mark.parametrize("name", COUPLED)
def test_where_layers_are_coupled_it_does(wired, batches, name):
    by = [ask(wired, name, granularity="channel", calibration=batches, reduction=r)["stem"] for r in REDUCTIONS]
    assert name == "lamp" or not torch.allclose(by[0], by[1])  # of a sum and of a mean the shares are the same
    assert not torch.allclose(by[1], by[2])


@pytest.mark.parametrize("name", COUPLED)
def test_single_weights_have_neither(plain, batches, name):
    if "weight" in SCORERS[name].granularities:
        usual = ask(plain, name, calibration=batches)
        found = ask(plain, name, calibration=batches, reduction="max", normalisation="max")
        assert all(torch.equal(found[n], usual[n]) for n in usual)


@pytest.mark.parametrize("name", [name for name in SCORERS if name not in COUPLED])
def test_what_looks_at_whole_units_has_no_such_settings(name):
    with pytest.raises(BadSetting, match="no setting “reduction”"):
        scores(name, reduction="max")
