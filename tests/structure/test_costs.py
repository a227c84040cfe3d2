"""Costs: what is predicted before removal is what is counted after it."""

import numpy as np
import pytest
import torch
import torchvision
from safetensors.torch import save
from torch import nn

from prunekit.structure import channel_costs, channel_groups, count_macs, file_bytes, weight_costs, weight_names
from prunekit.structure.file_size import FILE_ORDER, header_bytes
from prunekit.surgery import masked_copy, remove_channels
from tests.toy_networks import EXACT, IMAGES, lenet, lived_in, ready


def counted(model, inputs) -> dict[str, int]:
    parameters = list(model.parameters())
    return {
        "parameters": sum(p.numel() for p in parameters),
        "nonzero": sum(int((p != 0).sum()) for p in parameters),
        "macs": count_macs(model, inputs),
        "bytes": file_bytes(model) - header_bytes(model.state_dict()),
    }


def predicted(costs, kept) -> dict[str, int]:
    totals = costs.totals(np.array(kept))
    return totals | {"bytes": totals["bytes"] - int(costs.constant[-1])}


def masks(groups, seed):
    """Every third unit or so, at random; at least one stays."""
    generator = torch.Generator().manual_seed(seed)
    for group in groups:
        keep = torch.rand(group.units, generator=generator) > 0.4
        keep[0] = True
        yield group.name, keep


@pytest.mark.parametrize("name", [*EXACT, "resnet18", "mobilenet_v2"])
def test_the_costs_of_a_smaller_network_are_known_before_it_is_made(name):
    if name in EXACT:
        model, inputs = ready(*EXACT[name])
    else:
        model, inputs = torchvision.models.get_model(name, weights=None).eval(), torch.randn(1, 3, 64, 64)
        lived_in(model)
    groups = channel_groups(model, inputs)
    prunable = [g for g in groups if g.prunable]
    costs = channel_costs(model, inputs, groups)
    assert predicted(costs, [g.units for g in prunable]) == counted(model, inputs)
    mask = dict(masks(prunable, seed=1))
    smaller = remove_channels(model, mask, inputs, groups=groups)
    assert predicted(costs, [int(mask[g.name].sum()) for g in prunable]) == counted(smaller, inputs)


def test_the_predicted_bytes_of_the_whole_network_are_those_of_its_file():
    model, inputs = ready(lenet, IMAGES)
    groups = channel_groups(model, inputs)
    assert channel_costs(model, inputs, groups).totals(np.array([6, 8, 12]))["bytes"] == len(save(model.state_dict()))


def test_single_weights_save_theory_only():
    model, inputs = ready(lenet, IMAGES)
    costs = weight_costs(model, inputs)
    sizes = [model.get_parameter(name).numel() for name in weight_names(model)]
    full = costs.totals(np.array(sizes))
    assert full["nonzero"] == full["parameters"] == counted(model, inputs)["parameters"]
    assert full["macs"] == count_macs(model, inputs)
    assert full["bytes"] == file_bytes(model)
    mask = {name: torch.arange(model.get_parameter(name).numel()).view_as(model.get_parameter(name)) % 2 == 0
            for name in weight_names(model)}  # fmt: skip
    half = costs.totals(np.array([int(m.sum()) for m in mask.values()]))
    assert half["nonzero"] == counted(masked_copy(model, mask), inputs)["nonzero"]
    assert half["macs"] == full["macs"] // 2
    assert (half["parameters"], half["bytes"]) == (full["parameters"], full["bytes"])


def test_each_layer_is_charged_for_its_own():
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    costs = channel_costs(model, torch.zeros(1, 4), channel_groups(model, torch.zeros(1, 4)))
    first, last = costs.per_layer(np.array([1])).values()
    assert (first["parameters"], first["macs"], first["bytes"]) == (5, 4, 20)
    assert (last["parameters"], last["macs"], last["bytes"]) == (4, 2, 16)


def test_weight_names_lead_from_parameters_to_layers():
    model = lenet()
    assert weight_names(model) == {"0.weight": "0", "4.weight": "4", "9.weight": "9", "11.weight": "11"}
    assert "11.weight" not in weight_names(model, include_last=False)
    assert weight_names(nn.Linear(2, 2)) == {"weight": ""}


@pytest.mark.parametrize("name", EXACT)
def test_the_size_of_the_file_is_known_to_the_byte(name):
    model, _inputs = ready(*EXACT[name])
    assert file_bytes(model) == len(save(model.state_dict()))


def test_the_size_of_the_file_is_known_for_every_element_type():
    tensors = {f"t{i}": torch.zeros(i + 1, 3, dtype=dtype) for i, dtype in enumerate(reversed(FILE_ORDER))}
    tensors |= {"scalar": torch.zeros(()), "empty": torch.zeros(0, 2), "größe": torch.zeros(1)}
    data = sum(t.nbytes for t in tensors.values())
    assert header_bytes(tensors) + data == len(save(tensors))
