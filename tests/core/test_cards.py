"""Cards: read without loading a model, found in a folder of one's own too, and honest about damaged weights."""

import json
import shutil

import pytest

from prunekit.core.cards import SAMPLES, model_card, model_cards
from prunekit.core.errors import CorruptFile, UnknownName


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A folder of one's own models, with a copy of a sample model under another name."""
    folder = tmp_path / "models"
    shutil.copytree(SAMPLES / "mlp-digits", folder / "mine")
    card = json.loads((folder / "mine" / "card.json").read_text())
    (folder / "mine" / "card.json").write_text(json.dumps(card | {"id": "mine"}))
    monkeypatch.setenv("PRUNEKIT_MODELS", str(folder))
    return folder / "mine"


def test_a_model_of_known_architecture_is_one_folder_and_no_code(mine):
    assert "mine" in model_cards()
    assert model_card("mine").weights == mine / "weights.safetensors"


def test_whole_weights_have_no_problem(mine):
    assert model_card("mine").problem() == ""


def test_weights_that_were_cut_off_are_named_with_what_to_do(mine):
    whole = (mine / "weights.safetensors").read_bytes()
    (mine / "weights.safetensors").write_bytes(whole[: len(whole) // 2])
    assert model_card("mine").problem().endswith("restore the file from the repository.")
    (mine / "weights.safetensors").unlink()
    assert str(mine) in model_card("mine").problem()


@pytest.mark.parametrize("name", ["nothing", "../lenet-fashion", ""])
def test_a_name_that_is_not_there_is_answered_with_those_that_are(name):
    with pytest.raises(UnknownName, match="lenet-fashion"):
        model_card(name)


@pytest.mark.parametrize(
    ("augmentation", "side"), [({"shift": 4, "flips": True, "erase": 8}, 8), ({"crop": 4}, 0), ("crops", 0), (None, 0)]
)
def test_a_card_tells_what_was_blanked_in_the_pictures_it_was_trained_on(mine, augmentation, side):
    write(mine, augmentation)
    assert model_card("mine").erase == side


@pytest.mark.parametrize("side", [-1, 2.5, "8", True, None])
def test_a_square_that_cannot_be_is_refused(mine, side):
    write(mine, {"erase": side})
    with pytest.raises(CorruptFile, match=r"card\.json"):
        model_card("mine")


def write(folder, augmentation) -> None:
    card = json.loads((folder / "card.json").read_text())
    card["training"]["augmentation"] = augmentation
    (folder / "card.json").write_text(json.dumps(card))


def test_an_identity_tells_other_weights_and_other_data_apart(mine, tmp_path, monkeypatch):
    before = model_card("lenet-fashion").identity()
    raw = tmp_path / "data" / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for part in ("train", "t10k"):
        for kind in ("images-idx3-ubyte", "labels-idx1-ubyte"):
            (raw / f"{part}-{kind}.gz").touch()
    monkeypatch.setenv("PRUNEKIT_DATA", str(tmp_path / "data"))
    assert model_card("lenet-fashion").identity() != before
