"""Every architecture can be built from plain arguments, and again from its own blueprint."""

import json

import pytest
import torch

from prunekit.core.errors import BadSetting, UnknownName
from prunekit.models import ARCHITECTURES, build


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
