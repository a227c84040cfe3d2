"""The data sets themselves: sizes, balance, normalisation, and no image on two sides."""

import numpy as np
import pytest
import torch

from prunekit.core.errors import BadSetting, CorruptFile, UnknownName
from prunekit.data import DATASETS, calibration_set, load_dataset
from prunekit.data import fashion_mnist as fashion
from prunekit.data.idx import write_idx


@pytest.fixture(scope="module")
def shipped():
    return load_dataset("fashion-mnist", prefer="shipped")


def test_an_unknown_name_is_answered_with_the_names_that_would_do():
    with pytest.raises(UnknownName, match="choose one of: cifar10, digits, fashion-mnist"):
        load_dataset("fashion")


@pytest.mark.parametrize("name", DATASETS)
def test_every_data_set_is_what_it_says(name):
    data = load_dataset(name, prefer="shipped")
    assert data.id == name
    for split in (data.train, data.validation, data.test):
        inputs, targets = next(split.batches(32))
        assert inputs.shape[1:] == data.input_shape
        assert inputs.dtype is torch.float32
        assert targets.dtype is torch.int64
        assert 0 <= int(split.targets.min()) <= int(split.targets.max()) < len(data.classes)


@pytest.mark.parametrize("name", DATASETS)
def test_normalised_training_images_have_mean_0_and_deviation_1(name):
    inputs, _targets = load_dataset(name, prefer="shipped").train.tensors()
    assert float(inputs.mean()) == pytest.approx(0, abs=0.02)
    assert float(inputs.std()) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("name", DATASETS)
def test_no_image_is_on_two_sides(name):
    data = load_dataset(name, prefer="shipped")
    train, validation, test = (
        {image.numpy().tobytes() for image in split.inputs} for split in (data.train, data.validation, data.test)
    )
    assert not train & validation
    assert not train & test
    assert not validation & test


def test_the_shipped_subset_has_the_promised_sizes_and_is_balanced(shipped):
    assert not shipped.full
    assert shipped.train.targets.bincount().tolist() == [600] * 10
    assert shipped.validation.targets.bincount().tolist() == [100] * 10
    assert shipped.test.targets.bincount().tolist() == [1000] * 10


def test_digits_are_split_60_20_20_with_every_class_in_proportion():
    data = load_dataset("digits")
    assert [len(data.train), len(data.validation), len(data.test)] == [1078, 360, 359]
    assert data.test.targets.bincount().min() >= 34


def test_a_calibration_set_is_balanced_normalised_and_drawn_from_the_training_part(shipped):
    batches = calibration_set(shipped, 200, seed=1, batch_size=64)
    assert [len(targets) for _inputs, targets in batches] == [64, 64, 64, 8]
    inputs, targets = (torch.cat(parts) for parts in zip(*batches, strict=True))
    assert targets.bincount().tolist() == [20] * 10
    known = {image.numpy().tobytes() for image in shipped.train.tensors()[0]}
    assert all(image.numpy().tobytes() in known for image in inputs)


def test_a_calibration_set_follows_from_its_seed(shipped):
    one, same, other = (calibration_set(shipped, 20, seed)[0][0] for seed in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


# -- a full set in a data folder, made up of the right shapes -------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A data folder with a made-up full set of 200 + 30 pictures; picture i holds its number in its first pixels."""
    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for part, count in (("train", 200), ("t10k", 30)):
        pictures = np.zeros((count, 28, 28), dtype=np.uint8)
        pictures[:, 0, 0] = np.arange(count)
        pictures[:, 0, 1] = part == "train"
        write_idx(raw / f"{part}-images-idx3-ubyte.gz", pictures)
        write_idx(raw / f"{part}-labels-idx1-ubyte.gz", np.arange(count, dtype=np.uint8) % 10)
    monkeypatch.setenv("PRUNEKIT_DATA", str(tmp_path))
    return raw


def test_a_full_set_in_the_data_folder_is_used_and_a_tenth_of_it_held_out(folder):
    data = load_dataset("fashion-mnist")
    assert data.full
    assert data.validation.targets.bincount().tolist() == [2] * 10
    assert [len(data.train), len(data.test)] == [180, 30]
    numbers = torch.cat([data.train.inputs[:, 0, 0, 0], data.validation.inputs[:, 0, 0, 0]])
    assert sorted(numbers.tolist()) == list(range(200))


def test_unpacked_files_as_torchvision_leaves_them_are_found(folder):
    for packed in folder.glob("*.gz"):
        write_idx(packed.with_suffix(""), fashion.read_idx(packed))
        packed.unlink()
    assert load_dataset("fashion-mnist").full


def test_shipped_images_stay_on_the_side_they_have_in_the_full_set(folder, monkeypatch):
    monkeypatch.setattr(fashion, "SHIPPED_TRAIN", 60)
    monkeypatch.setattr(fashion, "SHIPPED_VALIDATION", 10)
    full = load_dataset("fashion-mnist", prefer="full")
    train, validation = fashion.shipped_rows(torch.arange(200) % 10)
    assert set(train) <= set(full.train.inputs[:, 0, 0, 0].tolist())
    assert set(validation) <= set(full.validation.inputs[:, 0, 0, 0].tolist())
    assert [len(train), len(validation)] == [60, 10]


def test_the_shipped_subset_can_be_insisted_on(folder):
    assert not load_dataset("fashion-mnist", prefer="shipped").full


def test_half_a_full_set_is_no_full_set(folder):
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    assert not load_dataset("fashion-mnist").full
    with pytest.raises(BadSetting, match="The full Fashion-MNIST is not in"):
        load_dataset("fashion-mnist", prefer="full")


def test_a_truncated_full_set_is_not_silently_replaced(folder):
    path = folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(CorruptFile, match="train-images"):
        load_dataset("fashion-mnist")


def test_images_and_labels_that_do_not_belong_together_are_refused(folder):
    write_idx(folder / "train-labels-idx1-ubyte.gz", np.zeros(199, dtype=np.uint8))
    with pytest.raises(CorruptFile, match="do not belong together"):
        load_dataset("fashion-mnist")


def test_an_unknown_preference_is_refused():
    with pytest.raises(BadSetting, match="auto, shipped, full"):
        load_dataset("digits", prefer="best")
