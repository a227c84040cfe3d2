"""CIFAR-10: the shipped pixels are the original ones, no image changes sides, both layouts of the full set."""

import hashlib
import json
import pickle

import numpy as np
import pytest
from PIL import Image
from torchvision.datasets import CIFAR10

from prunekit.core.data_folder import full_set_folder, has_full_set
from prunekit.core.errors import BadSetting, CorruptFile
from prunekit.data import cifar10, load_dataset
from prunekit.data.folder import SHIPPED

COUNT = 400  # of a made-up full training set; a tenth as many to test


@pytest.fixture(scope="module")
def shipped():
    return load_dataset("cifar10", prefer="shipped")


# -- the shipped subset ---------------------------------------------------------------------------------------------


def test_the_shipped_subset_has_the_promised_sizes_and_is_balanced(shipped):
    assert not shipped.full
    assert shipped.train.targets.bincount().tolist() == [500] * 10
    assert shipped.validation.targets.bincount().tolist() == [100] * 10
    assert shipped.test.targets.bincount().tolist() == [200] * 10


def test_the_shipped_pixels_and_classes_are_those_of_the_originals(shipped):
    written = json.loads((SHIPPED / "cifar10" / "checksums.json").read_text())
    for part in ("train", "validation", "test"):
        split = getattr(shipped, part)
        pixels = split.inputs.permute(0, 2, 3, 1).contiguous().numpy()
        assert hashlib.sha256(pixels.tobytes()).hexdigest() == written[part]["images"]
        assert hashlib.sha256(split.targets.numpy().astype("<i8").tobytes()).hexdigest() == written[part]["classes"]


def test_the_subset_is_small_enough_to_be_shipped():
    assert sum(path.stat().st_size for path in (SHIPPED / "cifar10").iterdir()) < 14e6


def test_the_licence_is_said(shipped):
    assert shipped.card.licence == "no formal licence; cite Krizhevsky 2009"


# -- a full set in a data folder, made up: picture i of a part holds its number in its first two pixels -------------


def pictures(count: int) -> np.ndarray:
    made = np.zeros((count, 32, 32, 3), dtype=np.uint8)
    made[:, 0, 0, 0], made[:, 0, 1, 0] = np.arange(count) % 256, np.arange(count) // 256
    made[:, 5, 7] = (1, 2, 3)
    return made


def numbers(split) -> list[int]:
    first = split.inputs[:, 0, 0, :2].int()
    return (first[:, 0] + 256 * first[:, 1]).tolist()


def classes(count: int) -> list[int]:
    return [i % 10 for i in range(count)]


@pytest.fixture
def sheets(tmp_path, monkeypatch):
    """A data folder with the full set as sheets, one image in each row of pixels."""
    folder = tmp_path / "cifar10"
    folder.mkdir()
    train, test = pictures(COUNT), pictures(COUNT // 10)
    for i, batch in enumerate(np.split(train, 5), 1):
        Image.fromarray(batch.reshape(-1, 1024, 3)).save(folder / f"data_batch_{i}.png")
    Image.fromarray(test.reshape(-1, 1024, 3)).save(folder / "test_batch.png")
    (folder / "train_labels.json").write_text(json.dumps(classes(COUNT)))
    (folder / "test_labels.json").write_text(json.dumps(classes(COUNT // 10)))
    monkeypatch.setenv("PRUNEKIT_DATA", str(tmp_path))
    return folder


def pickled(path, images: np.ndarray, labels: list[int]) -> list[str]:
    """One file as the official archive has them; its name and md5, as torchvision lists them."""
    entry = {"data": images.transpose(0, 3, 1, 2).reshape(len(images), -1), "labels": labels}
    path.write_bytes(pickle.dumps(entry))
    return [path.name, hashlib.md5(path.read_bytes()).hexdigest()]


@pytest.fixture
def batches(tmp_path, monkeypatch):
    """A data folder with the same set as torchvision unpacks it, and torchvision told the checksums of these files."""
    folder = tmp_path / CIFAR10.base_folder
    folder.mkdir()
    train, test = pictures(COUNT), pictures(COUNT // 10)
    fifth = COUNT // 5
    listed = [
        pickled(folder / f"data_batch_{i + 1}", train[i * fifth : (i + 1) * fifth], classes(fifth)) for i in range(5)
    ]
    monkeypatch.setattr(CIFAR10, "train_list", listed)
    monkeypatch.setattr(CIFAR10, "test_list", [pickled(folder / "test_batch", test, classes(len(test)))])
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": list(cifar10.CLASSES)}))
    md5 = hashlib.md5((folder / "batches.meta").read_bytes()).hexdigest()
    monkeypatch.setattr(CIFAR10, "meta", CIFAR10.meta | {"md5": md5})
    monkeypatch.setenv("PRUNEKIT_DATA", str(tmp_path))
    return folder


@pytest.mark.parametrize("layout", ["sheets", "batches"])
def test_a_full_set_is_used_in_either_layout_and_a_twentieth_of_it_held_out(layout, request):
    request.getfixturevalue(layout)
    data = load_dataset("cifar10")
    assert data.full
    assert data.train.targets.bincount().tolist() == [38] * 10
    assert data.validation.targets.bincount().tolist() == [2] * 10
    assert numbers(data.test) == list(range(COUNT // 10))
    assert sorted(numbers(data.train) + numbers(data.validation)) == list(range(COUNT))
    assert data.train.inputs[0, :, 5, 7].tolist() == [1, 2, 3]  # red, green, blue of one pixel


def test_both_layouts_give_the_same_images_in_the_same_order(sheets, batches):
    assert full_set_folder("cifar10") == batches
    one = load_dataset("cifar10")
    (batches / "test_batch").rename(batches / "elsewhere")
    assert full_set_folder("cifar10") == sheets
    other = load_dataset("cifar10")
    for part in ("train", "validation", "test"):
        assert numbers(getattr(one, part)) == numbers(getattr(other, part))
        assert getattr(one, part).targets.tolist() == getattr(other, part).targets.tolist()


def test_shipped_images_stay_on_the_side_they_have_in_the_full_set(sheets, monkeypatch):
    monkeypatch.setattr(cifar10, "SHIPPED_COUNTS", {"train": 100, "validation": 10, "test": 20})
    full = load_dataset("cifar10", prefer="full")
    rows = cifar10.shipped_rows(np.array(classes(COUNT)), np.array(classes(COUNT // 10)))
    for part, count in (("train", 100), ("validation", 10), ("test", 20)):
        assert len(set(rows[part])) == count
        assert set(rows[part]) <= set(numbers(getattr(full, part)))


def test_a_foreign_pickle_is_never_opened(batches, tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    (batches / "data_batch_3").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(CorruptFile, match=r"damaged or not the official one; .*\.$"):
        load_dataset("cifar10")
    assert not (tmp_path / "sprung").exists()


def test_half_a_full_set_is_no_full_set(sheets, batches):
    (sheets / "train_labels.json").unlink()
    (batches / "batches.meta").unlink()
    assert not has_full_set("cifar10")
    assert not load_dataset("cifar10").full
    with pytest.raises(BadSetting, match="data --download cifar10"):
        load_dataset("cifar10", prefer="full")


def test_a_packed_pickle_is_not_taken_for_the_real_one(batches):
    (batches / "test_batch").rename(batches / "test_batch.gz")
    assert not has_full_set("cifar10")


def test_a_truncated_full_set_is_not_silently_replaced(sheets):
    path = sheets / "data_batch_2.png"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(CorruptFile, match="data_batch_2"):
        load_dataset("cifar10")


@pytest.mark.parametrize("labels", [classes(COUNT - 1), [10, *classes(COUNT - 1)]], ids=["one too few", "eleventh"])
def test_images_and_classes_that_do_not_belong_together_are_refused(sheets, labels):
    (sheets / "train_labels.json").write_text(json.dumps(labels))
    with pytest.raises(CorruptFile, match="do not belong together"):
        load_dataset("cifar10")


def test_the_shipped_subset_can_be_insisted_on(sheets):
    assert not load_dataset("cifar10", prefer="shipped").full
