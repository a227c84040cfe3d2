"""Every architecture can be built from plain arguments, and again from its own blueprint."""

import json
import warnings

import pytest
import torch
from torch import nn

from prunekit.core.errors import BadSetting, FloorWarning, UnknownName
from prunekit.models import ARCHITECTURES, build
from prunekit.models.resnet import deepen
from prunekit.structure import channel_groups
from prunekit.surgery import masked_copy, remove_channels
from tests.toy_networks import lived_in, relative_difference


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_takes_its_input_shape_and_gives_its_classes(name):
    model = build(name, {"classes": 7}).eval()
    with torch.no_grad():
        assert model(torch.zeros(3, *model.input_shape)).shape == (3, 7)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_blueprint_survives_json_and_builds_the_same_sizes(name):
    model = build(name, {"classes": 7})
    blueprint = json.loads(json.dumps(model.blueprint))
    assert blueprint == model.blueprint
    again = build(blueprint["architecture"], blueprint["arguments"])
    assert again.blueprint == model.blueprint
    assert again.input_shape == model.input_shape == tuple(blueprint["input_shape"])
    assert [p.shape for p in again.parameters()] == [p.shape for p in model.parameters()]


def test_a_lenet_of_one_and_two_channels_has_these_parameters():
    # 25 + 2 norm; 2*25 + 4 norm; pixels 28 -> 14 -> 10 -> 5: 2*25*3 + 3; 3*10 + 10
    model = build("lenet", {"channels": [1, 2], "hidden": 3})
    assert sum(p.numel() for p in model.parameters()) == 27 + 54 + 153 + 40


def test_an_mlp_has_one_layer_more_than_hidden_sizes():
    model = build("mlp", {"hidden": [5, 4], "input_shape": [3]})
    assert [tuple(p.shape) for n, p in model.named_parameters() if n.endswith("weight")] == [(5, 3), (4, 5), (10, 4)]


def test_an_unknown_architecture_is_answered_with_the_names_that_would_do():
    with pytest.raises(UnknownName, match="lenet, mlp"):
        build("lenett")


@pytest.mark.parametrize("arguments", [{"depth": 3}, {"channels": [16]}, {"hidden": "many"}, {"hidden": -1}])
def test_arguments_that_make_no_network_are_refused_in_a_sentence(arguments):
    with pytest.raises(BadSetting, match=r"lenet cannot be built from .*\.$"):
        build("lenet", arguments)


def test_a_resnet_of_depth_8_and_width_1_has_these_parameters():
    # 27 + 2 norm; stage 1: 9+2+9+2; stage 2: 18+4+36+4 and a shortcut 2+4; stage 3: 72+8+144+8 and 8+8; 4*10 + 10
    model = build("resnet", {"depth": 8, "width": 1})
    assert sum(p.numel() for p in model.parameters()) == 29 + 22 + 68 + 248 + 50


@pytest.mark.parametrize(("depth", "blocks"), [(8, 1), (20, 3), (56, 9)])
def test_a_resnet_is_6n_plus_2_layers_deep(depth, blocks):
    model = build("resnet", {"depth": depth, "width": 2})
    assert [len(stage) for stage in (model.layer1, model.layer2, model.layer3)] == [blocks] * 3
    on_the_way = [n for n, m in model.named_modules() if isinstance(m, (nn.Conv2d, nn.Linear)) and "shortcut" not in n]
    assert len(on_the_way) == depth


def test_a_deepened_resnet_answers_as_the_shallow_one_and_all_its_blocks_learn():
    torch.manual_seed(0)
    shallow, deep = (build("resnet", {"depth": depth, "width": 4}) for depth in (8, 20))
    deepen(lived_in(deep), lived_in(shallow))
    x = torch.randn(4, *deep.input_shape)
    with torch.no_grad():
        assert relative_difference(deep.eval()(x), shallow.eval()(x)) < 1e-5
    deep.train()(x).square().sum().backward()
    blocks = [*deep.layer1, *deep.layer2, *deep.layer3]
    assert all(block.bn2.weight.grad.abs().sum() > 0 for block in blocks)


def test_a_resnet_is_deepened_only_by_a_whole_multiple_of_blocks_of_the_same_width():
    with pytest.raises(ValueError, match="3 blocks are no multiple of 2"):
        deepen(build("resnet", {"depth": 20}), build("resnet", {"depth": 14}))
    with pytest.raises(RuntimeError, match="size mismatch"):
        deepen(build("resnet", {"depth": 20, "width": 8}), build("resnet", {"depth": 8, "width": 4}))


def test_a_resnet_doubles_its_width_and_halves_the_image_twice():
    model = build("resnet", {"depth": 8, "width": 2})
    assert [shape_after(model, name) for name in ("layer1", "layer2", "layer3")] == [
        (2, 32, 32),
        (4, 16, 16),
        (8, 8, 8),
    ]


@pytest.mark.parametrize("arguments", [{"depth": 2}, {"depth": 21}, {"depth": "deep"}, {"width": 0}])
def test_arguments_that_make_no_resnet_are_refused_in_a_sentence(arguments):
    with pytest.raises(BadSetting, match=r"resnet cannot be built from .*\.$"):
        build("resnet", arguments)


def test_a_residual_block_adds_its_input():
    block = build("resnet", {"depth": 8, "width": 2}).layer1[0].eval()
    with torch.no_grad():
        block.conv2.weight.zero_()  # nothing comes from beside the shortcut, whose batch norm adds nothing when new
        x = torch.rand(1, 2, 4, 4)
        assert torch.equal(block(x), x)


def test_a_vgg_of_one_and_two_channels_has_these_parameters():
    # 27 + 2 norm; 18 + 4 norm; 36 + 4 norm; 2*10 + 10
    model = build("vgg", {"stages": [[1], [2, 2]]})
    assert sum(p.numel() for p in model.parameters()) == 29 + 22 + 40 + 30
    assert [n for n, m in model.named_modules() if isinstance(m, nn.Conv2d)] == ["conv1_1", "conv2_1", "conv2_2"]


def test_a_vgg_halves_the_image_between_stages():
    model = build("vgg", {"stages": [[2], [3, 4], [5]]})
    shapes = [shape_after(model, name) for name in ("conv1_1", "conv2_1", "conv2_2", "conv3_1")]
    assert shapes == [(2, 32, 32), (3, 16, 16), (4, 16, 16), (5, 8, 8)]


@pytest.mark.parametrize("stages", [[], [[]], [[0]], [16, 32], "many"])
def test_stages_that_make_no_vgg_are_refused_in_a_sentence(stages):
    with pytest.raises(BadSetting, match=r"vgg cannot be built from .*\.$"):
        build("vgg", {"stages": stages})


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("resnet", {"depth": 8, "width": 4}), ("resnet", {"depth": 14, "width": 4}), ("vgg", {"stages": [[4, 6], [8]]})],
)
@pytest.mark.parametrize("density", [0.7, 0.0])
def test_masked_and_removed_resnets_and_vggs_give_the_same_outputs(name, arguments, density):
    torch.manual_seed(0)
    model, inputs = build(name, arguments).eval(), torch.randn(2, 3, 32, 32)
    lived_in(model)
    groups = channel_groups(model, inputs)
    mask = {g.name: torch.rand(g.units) < density for g in groups if g.prunable}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore", FloorWarning)
        masked, smaller = (act(model, mask, groups=groups) for act in (masked_copy, remove_channels))
        assert relative_difference(masked(inputs), smaller(inputs)) <= 1e-4
    assert sum(p.numel() for p in smaller.parameters()) < sum(p.numel() for p in model.parameters())


def test_channels_across_a_resnets_shortcuts_go_together():
    model = build("resnet", {"depth": 14, "width": 4})
    groups = channel_groups(model, torch.zeros(1, 3, 32, 32))
    stages = {g.units: {m.layer for m in g.members} for g in groups if len(g.members) > 4}
    assert {"conv1", "layer1.0.conv2", "layer1.1.conv2"} <= stages[4]
    assert {"layer2.0.conv2", "layer2.0.shortcut.0", "layer2.1.conv2"} <= stages[8]


def shape_after(model: nn.Module, name: str) -> tuple[int, ...]:
    """What a module of the network gives for one input."""
    seen = []
    handle = model.get_submodule(name).register_forward_hook(lambda _module, _input, output: seen.append(output))
    with torch.no_grad():
        model.eval()(torch.zeros(1, *model.input_shape))
    handle.remove()
    return tuple(seen[0].shape[1:])
