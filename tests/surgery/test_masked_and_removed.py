"""What you see is what you get: masked and smaller networks answer alike, and nothing given changes."""

import warnings

import pytest
import torch
import torchvision
from safetensors.torch import save
from torch import nn
from torch.nn.utils import prune

from prunekit.core.errors import BadSetting, CannotPrune, FloorWarning
from prunekit.masks import Mask
from prunekit.models import list_models, load_model
from prunekit.structure import channel_groups
from prunekit.surgery import kept_units, masked_copy, remove_channels
from tests.toy_networks import (
    EXACT,
    FEATURES,
    IMAGES,
    layer_norm_mlp,
    lenet,
    lived_in,
    ready,
    relative_difference,
    sigmoid_mlp,
)


def random_mask(groups, density: float, seed: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {g.name: torch.rand(g.units, generator=generator) < density for g in groups if g.prunable}


@pytest.fixture(autouse=True)
def silent_about_the_floor():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FloorWarning)
        yield


@pytest.mark.parametrize("density", [1.0, 0.6, 0.2, 0.0])
@pytest.mark.parametrize("name", EXACT)
def test_masked_and_removed_give_the_same_outputs(name, density):
    model, inputs = ready(*EXACT[name])
    mask = random_mask(channel_groups(model, inputs), density)
    masked, smaller = masked_copy(model, mask, inputs), remove_channels(model, mask, inputs)
    with torch.no_grad():
        assert relative_difference(masked(inputs), smaller(inputs)) <= 1e-4
        if density == 1:
            assert torch.equal(smaller(inputs), model(inputs))
        elif density < 0.5:
            assert relative_difference(model(inputs), smaller(inputs)) > 1e-3


@pytest.mark.parametrize("density", [0.7, 0.3])
@pytest.mark.parametrize("name", list_models())
def test_masked_and_removed_sample_models_give_the_same_outputs(name, density):
    model = load_model(name)
    inputs = torch.randn(4, *model.input_shape)
    mask = random_mask(channel_groups(model, inputs), density)
    masked, smaller = masked_copy(model, mask, inputs), remove_channels(model, mask, inputs)
    with torch.no_grad():
        assert relative_difference(masked(inputs), smaller(inputs)) <= 1e-4
        assert relative_difference(model(inputs), smaller(inputs)) > 1e-3


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2"])
def test_masked_and_removed_known_networks_give_the_same_outputs(name):
    torch.manual_seed(0)
    model, inputs = torchvision.models.get_model(name, weights=None).eval(), torch.randn(2, 3, 64, 64)
    lived_in(model)
    groups = channel_groups(model, inputs)
    mask = random_mask(groups, 0.6)
    masked, smaller = (act(model, mask, groups=groups) for act in (masked_copy, remove_channels))
    with torch.no_grad():
        assert relative_difference(masked(inputs), smaller(inputs)) <= 1e-4
    assert sum(p.numel() for p in smaller.parameters()) < 0.6 * sum(p.numel() for p in model.parameters())


def test_a_masked_layer_norm_differs_from_a_smaller_one_as_its_group_says():
    model, inputs = ready(layer_norm_mlp, FEATURES)
    group = channel_groups(model, inputs)[0]
    mask = {group.name: torch.arange(8) % 2 == 0}
    smaller = remove_channels(model, mask, inputs)
    assert smaller[1].normalized_shape == (4,)
    assert not group.exact
    assert relative_difference(masked_copy(model, mask, inputs)(inputs), smaller(inputs)) > 1e-3


def test_removal_takes_exactly_the_rows_and_columns_of_the_pruned_units():
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    smaller = remove_channels(model, {"0": torch.tensor([True, False, True])}, torch.zeros(1, 2))
    assert torch.equal(smaller[0].weight, model[0].weight[[0, 2]])
    assert torch.equal(smaller[0].bias, model[0].bias[[0, 2]])
    assert torch.equal(smaller[2].weight, model[2].weight[:, [0, 2]])
    assert torch.equal(smaller[2].bias, model[2].bias)
    assert (smaller[0].out_features, smaller[2].in_features) == (2, 2)


def test_masking_zeroes_what_consumers_read_too():
    model = nn.Sequential(nn.Linear(2, 3), nn.Sigmoid(), nn.Linear(3, 2))
    masked = masked_copy(model, {"0": torch.tensor([True, False, True])}, torch.zeros(1, 2))
    assert masked[0].weight[1].tolist() == [0, 0]
    assert masked[0].bias[1] == 0
    assert masked[2].weight[:, 1].tolist() == [0, 0]
    assert masked[2].weight[:, [0, 2]].equal(model[2].weight[:, [0, 2]])


def test_a_weight_mask_zeroes_exactly_the_weights_it_says():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    keep = torch.tensor([[True, False], [False, True]])
    masked = masked_copy(model, {"0.weight": keep})
    assert torch.equal(masked[0].weight, model[0].weight * keep)
    assert torch.equal(masked[1].weight, model[1].weight)


def test_weights_and_channels_can_be_masked_at_once():
    model, inputs = ready(sigmoid_mlp, FEATURES)
    keep = torch.ones(3, 7, dtype=torch.bool)
    keep[0, 0] = False
    masked = masked_copy(model, {"0": torch.arange(8) < 5, "5.weight": keep}, inputs)
    assert int((masked[0].weight == 0).sum()) == 3 * 6
    assert int((masked[5].weight == 0).sum()) == 1


def test_layers_of_the_smaller_network_say_their_new_sizes():
    model, inputs = ready(*EXACT["separable"])
    smaller = remove_channels(model, {"0": torch.arange(6) < 2, "5": torch.arange(9) < 4}, inputs)
    depthwise = smaller[2]
    assert (depthwise.in_channels, depthwise.out_channels, depthwise.groups) == (2, 2, 2)
    assert (smaller[1].num_parameters, smaller[3].num_features, smaller[5].in_channels) == (2, 2, 2)
    assert (smaller[5].out_channels, smaller[6].num_parameters, smaller[10].in_features) == (4, 1, 4)


@pytest.mark.parametrize("act", [masked_copy, remove_channels])
def test_nothing_given_is_changed(act):
    model, inputs = ready(lenet, IMAGES)
    model.train()
    model[9].weight.grad = torch.ones_like(model[9].weight)
    model[4].weight.requires_grad_(False)
    calls = []
    model[0].register_forward_hook(lambda *_: calls.append(1))
    mask = {"0": torch.arange(6) < 3, "9": torch.arange(12) < 5}
    mask_before = {name: entry.clone() for name, entry in mask.items()}
    before = save(model.state_dict())
    act(model, mask, inputs)
    assert save(model.state_dict()) == before
    assert all(module.training for module in model.modules())
    assert torch.equal(model[9].weight.grad, torch.ones(12, 128))
    assert not model[4].weight.requires_grad
    assert len(model[0]._forward_hooks) == 1
    assert not calls
    assert all(torch.equal(mask[name], mask_before[name]) for name in mask)


@pytest.mark.parametrize("act", [masked_copy, remove_channels])
def test_the_new_model_shares_no_memory_with_the_given_one(act):
    model, inputs = ready(lenet, IMAGES)
    before = save(model.state_dict())
    new = act(model, {"0": torch.arange(6) < 3}, inputs)
    with torch.no_grad():
        for tensor in [*new.parameters(), *new.buffers()]:
            tensor.zero_()
    assert save(model.state_dict()) == before


@pytest.mark.parametrize("act", [masked_copy, remove_channels])
def test_mode_dtype_layout_gradients_and_attributes_are_kept(act):
    model, inputs = ready(lenet, IMAGES)
    model = model.double().to(memory_format=torch.channels_last)
    model.blueprint, model.input_shape = {"architecture": "lenet"}, (3, 8, 8)
    model[4].weight.requires_grad_(False)
    model.train()
    model[1].eval()
    new = act(model, {"0": torch.arange(6) < 3, "4": torch.arange(8) < 3}, inputs.double())
    assert (new.blueprint, new.input_shape) == (model.blueprint, model.input_shape)
    assert [m.training for m in new.modules()] == [m.training for m in model.modules()]
    assert not new[4].weight.requires_grad
    assert new[0].weight.requires_grad
    assert all(p.dtype == torch.float64 for p in new.parameters())
    assert new[4].weight.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("act", [masked_copy, remove_channels])
def test_models_made_in_inference_mode_can_be_trained(act):
    model, inputs = ready(lenet, IMAGES)
    with torch.inference_mode():
        new = act(model, {"0": torch.arange(6) < 3}, inputs)
    new(inputs).sum().backward()
    assert new[0].weight.grad is not None


@pytest.mark.parametrize("act", [masked_copy, remove_channels])
def test_a_layer_never_vanishes_and_the_warning_names_it(act):
    model, inputs = ready(lenet, IMAGES)
    mask = Mask({"0": torch.zeros(6, dtype=torch.bool), "9": torch.arange(12) < 5}, best={"0": 4})
    with pytest.warns(FloorWarning, match=r"1 unit was kept in each of: 0\.") as caught:
        new = act(model, mask, inputs)
    assert caught[0].filename == __file__
    kept = new[0].weight.flatten(1).abs().sum(1).nonzero().flatten().tolist()
    assert kept == ([4] if act is masked_copy else [0])
    if act is remove_channels:
        assert torch.equal(new[0].weight[0], model[0].weight[4])


def test_a_higher_floor_keeps_more():
    model, inputs = ready(lenet, IMAGES)
    none = {"0": torch.zeros(6, dtype=torch.bool)}
    assert remove_channels(model, none, inputs, floor=3)[0].out_channels == 3
    assert kept_units(none, floor=3) == {"0": [0, 1, 2]}


def test_a_masked_layer_may_vanish_when_asked_to():
    model, inputs = ready(lenet, IMAGES)
    masked = masked_copy(model, {"0": torch.zeros(6, dtype=torch.bool)}, inputs, floor=0)
    assert not masked[0].weight.any()
    with pytest.raises(BadSetting, match="At least one unit"):
        remove_channels(model, {"0": torch.zeros(6, dtype=torch.bool)}, inputs, floor=0)


def test_kept_units_are_the_original_numbers():
    assert kept_units({"a": torch.tensor([False, True, True])}) == {"a": [1, 2]}


@pytest.mark.parametrize(
    ("mask", "sentence"),
    [
        ({"nowhere": torch.ones(6, dtype=torch.bool)}, "names “nowhere”.* the groups are: 0, 4, 9"),
        ({"0": torch.ones(5, dtype=torch.bool)}, r"shape \(5,\), but the network's is \(6,\)"),
        ({"0.weight": torch.ones(7, dtype=torch.bool)}, r"but the network's is \(6, 3, 3, 3\)"),
        ({"11": torch.arange(5) < 2}, "channels of 11 cannot be pruned: Its outputs are the network's answer"),
        ({"0": torch.ones(6)}, "bool tensors"),
    ],
)
@pytest.mark.parametrize("act", [masked_copy, remove_channels])
def test_a_mask_that_does_not_fit_is_one_sentence(act, mask, sentence):
    model, inputs = ready(lenet, IMAGES)
    with pytest.raises(CannotPrune, match=sentence):
        act(model, mask, inputs)


def test_single_weights_cannot_be_removed():
    model, inputs = ready(lenet, IMAGES)
    with pytest.raises(CannotPrune, match=r"Single weights \(9.weight\).* use masked_copy"):
        remove_channels(model, {"9.weight": torch.ones(12, 128, dtype=torch.bool)}, inputs)


def test_an_unprunable_group_may_be_named_as_long_as_it_stays_whole():
    model, inputs = ready(lenet, IMAGES)
    smaller = remove_channels(model, {"11": torch.ones(5, dtype=torch.bool), "0": torch.arange(6) < 2}, inputs)
    assert smaller[0].out_channels == 2


def test_shared_weights_are_masked_for_all_who_share_them():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[1].weight = model[0].weight
    masked = masked_copy(model, {"0.weight": torch.eye(2, dtype=torch.bool)})
    assert masked[1].weight is masked[0].weight
    assert masked[0].weight[0, 1] == 0


@pytest.mark.parametrize("act", [masked_copy, remove_channels])
def test_a_network_under_torchs_own_pruning_is_told_how_to_get_out_of_it(act):
    model, inputs = ready(lenet, IMAGES)
    prune.l1_unstructured(model[9], "weight", amount=0.5)
    with pytest.raises(CannotPrune, match=r"prune\.remove"):
        act(model, {"0": torch.arange(6) < 3}, inputs)


def test_a_smaller_network_can_be_pruned_again():
    model, inputs = ready(lenet, IMAGES)
    once = remove_channels(model, {"0": torch.arange(6) < 4}, inputs)
    twice = remove_channels(once, {"0": torch.arange(4) < 2}, inputs)
    at_once = remove_channels(model, {"0": torch.arange(6) < 2}, inputs)
    assert save(twice.state_dict()) == save(at_once.state_dict())
