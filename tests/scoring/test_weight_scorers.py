"""Scorers that look at weights, on toys with weights 1..n."""

import pytest
import torch
from torch import nn

from prunekit.core.errors import CannotScore
from prunekit.scoring import score


def counting(module: nn.Module) -> nn.Module:
    """The module with weights 1, 2, 3, ... in each layer, and no bias to speak of."""
    for parameter in module.parameters():
        parameter.data = torch.arange(1, parameter.numel() + 1.0).reshape(parameter.shape)
    return module


@pytest.fixture
def two_layers():
    """Rows (1, 2), (3, 4), (5, 6), then (1, 2, 3)."""
    return counting(nn.Sequential(nn.Linear(2, 3, bias=False), nn.ReLU(), nn.Linear(3, 1, bias=False)))


class Residual(nn.Module):
    """Two linear layers make the same three units."""

    input_shape = (3,)

    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(3, 3, bias=False)
        self.bn_stem = nn.BatchNorm1d(3)
        self.block = nn.Linear(3, 3, bias=False)
        self.bn_block = nn.BatchNorm1d(3)
        self.answer = nn.Linear(3, 2)

    def forward(self, x):
        x = torch.relu(self.bn_stem(self.stem(x)))
        return self.answer(x + self.bn_block(self.block(x)))


def test_magnitude_of_a_weight_is_its_size(two_layers):
    two_layers[0].weight.data[1] *= -1
    scores = score(two_layers, "magnitude")
    assert scores["0.weight"].tolist() == [[1, 2], [3, 4], [5, 6]]
    assert scores["2.weight"].tolist() == [[1, 2, 3]]


def test_both_norms_are_the_same_for_single_weights(two_layers):
    one, two = score(two_layers, "magnitude", p=1), score(two_layers, "magnitude", p=2)
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_magnitude_of_a_neuron_is_the_norm_of_its_row(two_layers):
    two_layers[0].weight.data[1] *= -1
    assert score(two_layers, "magnitude", granularity="channel")["0"].tolist() == [3, 7, 11]
    squares = score(two_layers, "magnitude", granularity="channel", p=2)["0"]
    assert squares.tolist() == pytest.approx([5**0.5, 5, 61**0.5])


def test_magnitude_of_a_filter_adds_up_its_whole_kernel():
    net = counting(nn.Sequential(nn.Conv2d(1, 2, 2, bias=False), nn.Flatten(), nn.Linear(2, 2, bias=False)))
    net.input_shape = (1, 2, 2)
    assert score(net, "magnitude", granularity="channel")["0"].tolist() == [1 + 2 + 3 + 4, 5 + 6 + 7 + 8]


def test_magnitude_of_a_transposed_filter_runs_along_its_outputs():
    net = counting(nn.Sequential(nn.ConvTranspose1d(2, 3, 1, bias=False), nn.Conv1d(3, 1, 1, bias=False)))
    net.input_shape = (2, 4)
    # The weight is (in, out): 1 2 3 / 4 5 6.
    assert score(net, "magnitude", granularity="channel")["0"].tolist() == [1 + 4, 2 + 5, 3 + 6]


def test_layers_that_make_units_together_are_added_up():
    scores = score(counting(Residual()), "magnitude", granularity="channel")
    assert list(scores) == ["stem"]
    assert scores["stem"].tolist() == [2 * (1 + 2 + 3), 2 * (4 + 5 + 6), 2 * (7 + 8 + 9)]


def test_batch_norm_scale_is_the_size_of_gamma_averaged_over_the_layers():
    net = Residual()
    net.bn_stem.weight.data = torch.tensor([1.0, -2.0, 3.0])
    net.bn_block.weight.data = torch.tensor([3.0, 4.0, 0.0])
    assert score(net, "bn_scale", granularity="channel")["stem"].tolist() == [2, 3, 1.5]


def test_a_layer_without_batch_norm_has_no_scale_and_is_named(two_layers):
    two_layers.input_shape = (2,)
    with pytest.raises(CannotScore, match=r"^0 has no batch norm"):
        score(two_layers, "bn_scale", granularity="channel")


def test_batch_norm_without_a_scale_is_none():
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3, affine=False), nn.Linear(3, 1))
    with pytest.raises(CannotScore, match=r"^0 has no batch norm"):
        score(net, "bn_scale", granularity="channel")


def test_random_depends_on_the_seed_and_the_name_and_on_nothing_else(two_layers):
    first = score(two_layers, "random", seed=1)
    assert not torch.equal(first["0.weight"], score(two_layers, "random", seed=2)["0.weight"])
    deeper = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1), nn.Linear(1, 2))
    assert torch.equal(first["2.weight"], score(deeper, "random", seed=1)["2.weight"])


def test_random_is_uniform_between_zero_and_one():
    lots = score(nn.Linear(100, 100), "random")["weight"]
    assert 0 <= lots.min() < 0.01
    assert 0.99 < lots.max() < 1
    assert lots.mean().item() == pytest.approx(0.5, abs=0.02)
