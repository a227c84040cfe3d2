"""What is told of a data set without loading it is what loading it gives."""

import pytest

from prunekit.core.data_cards import DATA_CARDS
from prunekit.core.data_folder import FULL_SETS, full_set_bytes, full_set_files, full_set_folder, has_full_set
from prunekit.data import DATASETS, load_dataset
from prunekit.data.download import SOURCES


def test_every_data_set_has_a_card():
    assert set(DATA_CARDS) == set(DATASETS)


@pytest.mark.parametrize("name", DATASETS)
def test_a_card_tells_the_sizes_that_are_shipped(name):
    data, card = load_dataset(name, prefer="shipped"), DATA_CARDS[name]
    assert card.shipped == {part: len(getattr(data, part)) for part in ("train", "validation", "test")}


@pytest.mark.parametrize("card", DATA_CARDS.values(), ids=DATA_CARDS)
def test_a_set_that_can_be_downloaded_has_a_full_layout_to_be_unpacked_to(card):
    assert bool(card.download) == (card.id in SOURCES) == (card.id in FULL_SETS)
    assert card.room >= card.download
    if card.download:
        _class, folder = SOURCES[card.id]
        assert any(all(file.startswith(f"{folder}/") for file in layout) for layout in FULL_SETS[card.id])
    else:
        assert card.full == card.shipped


def test_a_full_set_is_found_with_its_folder_and_size(tmp_path, monkeypatch):
    monkeypatch.setenv("PRUNEKIT_DATA", str(tmp_path))
    assert not has_full_set("fashion-mnist")
    assert full_set_folder("fashion-mnist") is None
    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for i, file in enumerate(FULL_SETS["fashion-mnist"][0]):
        name = file.rsplit("/", 1)[1]
        (raw / (f"{name}.gz" if i % 2 else name)).write_bytes(b"x" * (i + 1))
    assert full_set_folder("fashion-mnist") == raw
    assert full_set_bytes("fashion-mnist") == 1 + 2 + 3 + 4
    assert [path.suffix for path in full_set_files("fashion-mnist")] == ["", ".gz", "", ".gz"]
