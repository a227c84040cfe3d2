"""The sample models: as good as their cards say, and refused when their weights are not those of the card."""

import json
import shutil

import pytest
import torch

from prunekit.core import cards
from prunekit.core.errors import CorruptFile, UnknownName
from prunekit.data import load_dataset
from prunekit.models import list_models, load_model
from prunekit.structure.layers import count_macs
from prunekit.training import evaluate

# Test accuracy on the full set that makes a network worth pruning.
GOALS = {"lenet-fashion": 0.91, "resnet20-cifar10": 0.91, "vgg-cifar10": 0.93, "resnet56-cifar10": 0.925}


def test_the_two_small_sample_models_are_there():
    assert {"lenet-fashion", "mlp-digits"} <= set(list_models())


@pytest.mark.parametrize("name", list_models())
def test_a_sample_model_does_as_well_as_its_card_says(name):
    card, model = cards.model_card(name), load_model(name)
    data = load_dataset(card.data, prefer="shipped")
    for part, split in (("train", data.train), ("validation", data.validation), ("test", data.test)):
        promised = card.metrics["shipped"][part]
        # Another CPU may round a last bit differently and turn a handful of close calls.
        handful = max(2e-3, 2 / len(split))
        assert evaluate(model, split, data.task).value == pytest.approx(promised, abs=handful)
        assert len(split) == card.split["shipped"][part]


@pytest.mark.parametrize("name", sorted(GOALS.keys() & set(list_models())))
def test_a_sample_model_is_good_enough_to_be_worth_pruning(name):
    assert cards.model_card(name).metrics["full"]["test"] >= GOALS[name]


@pytest.mark.parametrize("name", list_models())
def test_a_card_counts_right(name):
    card, model = cards.model_card(name), load_model(name)
    assert card.parameters == sum(p.numel() for p in model.parameters())
    assert card.macs == count_macs(model, torch.zeros(1, *model.input_shape))
    assert card.bytes == card.weights.stat().st_size
    assert card.input_shape == model.input_shape
    assert card.classes == load_dataset(card.data, prefer="shipped").classes


def test_a_loaded_model_is_in_eval_mode_and_nobody_elses():
    one, other = load_model("mlp-digits"), load_model("mlp-digits")
    assert not any(module.training for module in one.modules())
    assert all(p.requires_grad for p in one.parameters())
    with torch.no_grad():
        one.fc1.weight.zero_()
    assert other.fc1.weight.abs().sum() > 0


def test_loading_leaves_torchs_random_state_as_it_is():
    before = torch.get_rng_state()
    load_model("lenet-fashion")
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("name", ["lenet", "", "../core", "data"])
def test_a_model_that_is_not_there_is_answered_with_those_that_are(name):
    with pytest.raises(UnknownName, match="lenet-fashion, mlp-digits"):
        load_model(name)


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """mlp-digits in a folder of its own, to be damaged."""
    shutil.copytree(cards.SAMPLES / "mlp-digits", tmp_path / "mlp-digits")
    monkeypatch.setattr(cards, "SAMPLES", tmp_path)
    load_model("mlp-digits")
    return tmp_path / "mlp-digits"


def damage_cut(weights):
    weights.write_bytes(weights.read_bytes()[:-100])


def damage_flipped_bit(weights):
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)


@pytest.mark.parametrize("damage", [damage_cut, damage_flipped_bit, lambda weights: weights.unlink()])
def test_damaged_or_missing_weights_get_one_sentence_with_the_file_and_what_to_do(copied, damage):
    damage(copied / "weights.safetensors")
    with pytest.raises(CorruptFile, match=r"weights\.safetensors are damaged or missing; restore .*\.$"):
        load_model("mlp-digits")


@pytest.mark.parametrize("change", [{"architecture": "resnet"}, {"arguments": {"hidden": [9]}}, {"checksum": "0"}])
def test_weights_that_are_not_those_of_the_card_are_refused(copied, change):
    card = copied / "card.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | change))
    with pytest.raises(CorruptFile, match="damaged or missing"):
        load_model("mlp-digits")
