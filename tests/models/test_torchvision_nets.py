"""Torchvision's networks: the shipped list is what the registry says, and each can be built as the card says."""

import json

import pytest
import torch

from prunekit.core.cards import model_card
from prunekit.core.torchvision import FILE
from prunekit.models import load_model
from prunekit.models.torchvision_nets import counted, stated, torchvision_net

SHIPPED = {net["name"]: net for net in json.loads(FILE.read_text(encoding="utf-8"))}


def part(of: dict, like: dict) -> dict:
    return {key: of[key] for key in like}


def test_the_list_is_that_of_the_registry_with_its_metrics_and_addresses():
    import torchvision

    assert list(SHIPPED) == sorted(torchvision.models.list_models(torchvision.models))
    for name, net in SHIPPED.items():
        said = stated(name)
        assert part(net, said) == said, "run `make shipped` and commit what it writes"


# A plain one, one with auxiliary heads, one whose widths are computed with tensors, one sized by its input.
@pytest.mark.parametrize("name", ["mobilenet_v3_small", "googlenet", "regnet_x_400mf", "vit_b_32"])
def test_the_list_counts_right(name):
    found = counted(name)
    assert part(SHIPPED[name], found) == found, "run `make shipped` and commit what it writes"


def test_counts_agree_with_what_torchvision_states():
    # Where they do not, the network has attention, whose inner products are not counted here, or auxiliary heads.
    differing = {name for name, net in SHIPPED.items() if abs(net["macs"] / net["published_macs"] - 1) > 0.02}
    assert {name.partition("_")[0] for name in differing} == {"vit", "swin", "maxvit"}


def test_random_weights_are_the_same_each_time_and_those_that_torchs_own_seed_would_give():
    import torchvision

    one, other = load_model("torchvision/squeezenet1_1"), load_model("torchvision/squeezenet1_1")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        plain = torchvision.models.squeezenet1_1(weights=None)
    for name, tensor in plain.state_dict().items():
        assert torch.equal(tensor, one.state_dict()[name])
        assert torch.equal(tensor, other.state_dict()[name])


def test_a_loaded_network_is_in_eval_mode_nobody_elses_and_what_its_card_says():
    card, model = model_card("torchvision/squeezenet1_1"), load_model("torchvision/squeezenet1_1")
    assert not any(module.training for module in model.modules())
    assert model.input_shape == card.input_shape
    assert sum(p.numel() for p in model.parameters()) == card.parameters
    with torch.no_grad():
        next(model.parameters()).zero_()
    assert next(load_model("torchvision/squeezenet1_1").parameters()).abs().sum() > 0


@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
def test_networks_with_auxiliary_heads_come_without_them_and_answer_with_a_tensor_in_train_mode_too(name):
    with torch.device("meta"):
        model = torchvision_net(name, classes=7, input_shape=(3, 96, 96)).train()
        assert model(torch.zeros(2, 3, 96, 96)).shape == (2, 7)


def test_a_transformer_takes_pictures_of_the_size_that_was_asked_for():
    with torch.device("meta"):
        model = torchvision_net("vit_b_32", classes=7, input_shape=(3, 64, 64))
        assert model(torch.zeros(1, 3, 64, 64)).shape == (1, 7)
