"""Torchvision's networks as cards: listed without torch, chosen by id, honest about what they lack."""

import pytest

from prunekit.core import torchvision
from prunekit.core.cards import find_card, model_card, model_cards
from prunekit.core.errors import UnknownName
from prunekit.core.torchvision import named_by, published_weights, torchvision_id, torchvision_nets


def test_there_are_eighty_networks_and_none_of_them_is_among_the_sample_models():
    assert len(torchvision_nets()) == 80
    assert not [name for name in model_cards() if name.startswith("torchvision")]


@pytest.mark.parametrize("published", [False, True])
def test_every_network_has_a_card_of_its_id(published):
    for net in torchvision_nets().values():
        card = model_card(torchvision_id(net.name, published))
        assert card.id == torchvision_id(net.name, published)
        assert (card.parameters, card.macs, card.input_shape) == (net.parameters, net.macs, net.input_shape)
        assert card.parameters > 0 < card.macs
        assert card.problem() == ""


def test_resnet18_has_the_numbers_that_everybody_knows():
    net = torchvision_nets()["resnet18"]
    assert net.parameters == 11_689_512
    assert round(net.macs / 1e9, 2) == 1.81
    assert round(net.published.top1, 4) == 0.6976
    assert net.published.file == "resnet18-f37072fd.pth"


def test_a_card_without_data_says_in_one_sentence_what_it_lacks_and_what_it_has():
    lack = model_card("torchvision/resnet18").lack_of_data()
    assert lack.startswith("resnet18 (untrained) has no data set here")
    assert lack.count(".") == 1
    assert model_card("lenet-fashion").lack_of_data() == ""


def test_the_identity_of_random_weights_follows_from_name_seed_and_versions(monkeypatch):
    before = model_card("torchvision/resnet18").identity()
    assert before != model_card("torchvision/resnet34").identity()
    assert before == model_card("torchvision/resnet18").identity()
    monkeypatch.setattr("prunekit.core.cards.versions", lambda: {"torch": "3.0", "torchvision": "0.30"})
    assert before != model_card("torchvision/resnet18").identity()


def test_the_identity_of_published_weights_is_their_files_name():
    assert model_card("torchvision/resnet18/published").checksum == "resnet18-f37072fd.pth"


def test_the_versions_are_those_that_are_installed():
    import torch

    assert torchvision.versions()["torch"] == torch.__version__.partition("+")[0]


@pytest.mark.parametrize("name", ["resnet19", "ResNet18", "", "resnet18/weights", "../lenet-fashion"])
def test_a_network_that_is_not_there_is_answered_with_the_nearest_names(name):
    with pytest.raises(UnknownName, match=r"did you mean \w+.* lists all 80\."):
        model_card(f"torchvision/{name}")
    assert find_card(f"torchvision/{name}") is None


@pytest.mark.parametrize(
    ("model_id", "named"),
    [
        ("torchvision/resnet18", ("resnet18", False)),
        ("torchvision/resnet18/published", ("resnet18", True)),
        ("torchvision/published", ("published", False)),
        ("lenet-fashion", None),
        (None, None),
        (["torchvision/resnet18"], None),
    ],
)
def test_an_id_names_a_network_and_its_weights(model_id, named):
    assert named_by(model_id) == named


@pytest.mark.parametrize("model_id", ["lenet-fashion", "torchvision/resnet19/published"])
def test_there_are_no_published_weights_of_other_models(model_id):
    with pytest.raises(UnknownName):
        published_weights(model_id)
