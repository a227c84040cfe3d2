"""Parts of weight tensors: which weights go together, and how masks and costs follow."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some
from torch import nn

from prunekit.core.cuts import ZEROED
from prunekit.core.errors import CannotPrune
from prunekit.masks import Mask
from prunekit.structure import count_macs, weight_costs, weight_parts, without_parts
from prunekit.structure.parts import parts_like, parts_of
from prunekit.surgery import kept_units, masked_copy
from tests.toy_networks import IMAGES, lenet, ready

PARTS = [granularity for granularity in ZEROED if granularity != "weight"]


def test_a_kernel_is_what_a_filter_applies_to_one_input():
    values = torch.arange(12.0).reshape(2, 3, 1, 2)
    kernels = parts_of(nn.Conv2d(3, 2, (1, 2)), values.shape, "kernel")
    assert (kernels.shape, kernels.weights) == ((2, 3), 2)
    assert kernels.gathered(values)[1, 2].tolist() == [10, 11]
    assert kernels.spread(torch.tensor([[1, 2, 3], [4, 5, 6]])).flatten().tolist() == [
        1,
        1,
        2,
        2,
        3,
        3,
        4,
        4,
        5,
        5,
        6,
        6,
    ]


def test_a_row_is_all_that_makes_one_output():
    values = torch.arange(6.0).reshape(2, 3)
    rows = parts_of(nn.Linear(3, 2), values.shape, "row")
    assert (rows.shape, rows.weights) == ((2,), 3)
    assert rows.gathered(values).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert rows.spread(torch.tensor([7, 8])).tolist() == [[7, 7, 7], [8, 8, 8]]


def test_the_outputs_of_a_transposed_convolution_come_second():
    layer = nn.ConvTranspose2d(2, 3, 1)  # its weight is (inputs, outputs, 1, 1)
    rows = parts_of(layer, layer.weight.shape, "row")
    assert (rows.shape, rows.weights) == ((3,), 2)
    assert rows.spread(torch.tensor([1, 2, 3])).flatten().tolist() == [1, 2, 3, 1, 2, 3]
    assert rows.gathered(torch.arange(6).reshape(2, 3, 1, 1)).tolist() == [[0, 3], [1, 4], [2, 5]]


def test_a_tile_is_four_by_four_neighbours_of_the_matrix():
    values = torch.arange(64).reshape(4, 16)
    tiles = parts_of(nn.Linear(16, 4), values.shape, "tile")
    assert (tiles.shape, tiles.weights) == ((1, 4), 16)
    assert tiles.gathered(values)[0, 1].tolist() == [4, 5, 6, 7, 20, 21, 22, 23, 36, 37, 38, 39, 52, 53, 54, 55]
    assert tiles.spread(torch.tensor([[0, 1, 2, 3]]))[2].tolist() == [0] * 4 + [1] * 4 + [2] * 4 + [3] * 4
    # Of a filter the matrix is outputs times everything else, as it lies in memory.
    assert parts_of(nn.Conv2d(8, 4, 3), (4, 8, 3, 3), "tile").shape == (1, 18)


def test_channels_that_stay_are_told_of_channel_masks_alone():
    mask = Mask({"fc.weight": torch.tensor([True, False]), "fc": torch.tensor([False, True])})
    assert kept_units(mask) == {"fc": [1]}


def test_where_there_are_no_parts_it_is_said_why():
    linear, conv = nn.Linear(3, 8), nn.Conv2d(3, 4, 3)
    assert parts_of(linear, linear.weight.shape, "kernel") is None
    assert parts_of(linear, linear.weight.shape, "tile") is None  # 3 columns
    assert parts_of(conv, conv.weight.shape, "tile") is None  # 27 columns
    told = [without_parts(granularity) for granularity in PARTS]
    assert [words.split()[1] for words in told] == ["convolutions", "rows", "need"]


def test_the_rows_of_the_last_layer_are_left_alone():
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4))
    assert list(weight_parts(net, "row")) == ["0.weight"]
    assert list(weight_parts(net, "tile")) == list(weight_parts(net, "weight")) == ["0.weight", "2.weight"]


sides = some.lists(some.integers(1, 9), min_size=2, max_size=5)


@given(shape=sides, granularity=some.sampled_from(ZEROED), turned=some.booleans())
def test_units_cover_each_weight_once_and_their_shape_says_which_they_are(shape, granularity, turned):
    module = nn.ConvTranspose2d(1, 1, 1) if turned else None
    parts = parts_of(module, shape, granularity)
    if parts is None:
        return
    weights = torch.arange(int(np.prod(shape))).reshape(shape)
    units = torch.arange(int(np.prod(parts.shape))).reshape(parts.shape)
    gathered = parts.gathered(weights)
    assert gathered.shape == (*parts.shape, parts.weights)
    assert gathered.flatten().sort().values.tolist() == list(range(weights.numel()))
    # What is spread over the weights of a unit is its own value.
    assert (parts.gathered(parts.spread(units)) == units.unsqueeze(-1)).all()
    side = 3
    corner = parts.spread(units).flatten(1)[:side, :side]
    assert torch.equal(parts.corner(units, side), corner)
    known = parts_like(module, shape, parts.shape)
    assert torch.equal(known.spread(units), parts.spread(units))


@pytest.mark.parametrize("granularity", PARTS)
def test_a_mask_of_parts_zeroes_their_weights_and_costs_what_was_predicted(granularity):
    model, inputs = ready(lenet, IMAGES)
    parts = weight_parts(model, granularity)
    assert parts
    mask = {name: torch.arange(int(np.prod(p.shape))).reshape(p.shape) % 3 > 0 for name, p in parts.items()}
    masked = masked_copy(model, mask)
    for name, weight in model.named_parameters():
        wanted = parts[name].spread(mask[name]) if name in mask else torch.ones_like(weight, dtype=torch.bool)
        assert torch.equal(masked.get_parameter(name), weight * wanted)
    totals = weight_costs(model, inputs, granularity).totals(np.array([int(m.sum()) for m in mask.values()]))
    assert totals["nonzero"] == sum(int((p != 0).sum()) for p in masked.parameters())
    assert totals["parameters"] == sum(p.numel() for p in model.parameters())
    assert totals["macs"] < count_macs(model, inputs)


def test_a_mask_of_no_parts_is_refused_with_the_shape_that_it_should_have():
    with pytest.raises(CannotPrune, match=r"has the shape \(5,\), but the network's is \(2, 3\)"):
        masked_copy(nn.Linear(3, 2), {"weight": torch.ones(5, dtype=torch.bool)})
