"""CIFAR-10 (Krizhevsky, 2009): 32x32 colour photographs in ten classes."""

from pathlib import Path

import numpy as np
import torch

from prunekit.core.data_cards import DATA_CARDS
from prunekit.core.data_folder import data_folder, full_set_folder
from prunekit.core.errors import CorruptFile
from prunekit.core.language import N_, _
from prunekit.core.tasks import CLASSIFICATION
from prunekit.data.choosing import balanced, stratified
from prunekit.data.dataset import Dataset
from prunekit.data.folder import SHIPPED, check_together, takes_full
from prunekit.data.sheets import read_classes, read_sheet
from prunekit.data.split import Split

CARD = DATA_CARDS["cifar10"]
CLASSES = (
    N_("airplane"),
    N_("automobile"),
    N_("bird"),
    N_("cat"),
    N_("deer"),
    N_("dog"),
    N_("frog"),
    N_("horse"),
    N_("ship"),
    N_("truck"),
)
# Of the 50,000 training images in [0, 1].
NORMALIZATION = ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616))
SIZE = 32
SHAPE = (3, SIZE, SIZE)

SPLIT_SEED = 20090408
VALIDATION_SHARE = 0.05
SHIPPED_COUNTS = CARD.shipped
SHEETS = {"train": [f"data_batch_{i}.png" for i in range(1, 6)], "test": ["test_batch.png"]}


def load(prefer: str) -> Dataset:
    """The full set where it is there and not unwanted, else the shipped subset; see `load_dataset`."""
    full = takes_full(CARD, prefer)
    train, validation, test = _full_parts() if full else _shipped_parts()
    return Dataset(CARD, train, validation, test, CLASSES, full)


def shipped_rows(train_targets, test_targets) -> dict:
    """Positions of the shipped images in the full training and test images, all class-balanced.

    Those for training and validation come from the training and the validation part of the full set, so no image
    changes sides.
    """
    train, validation = _split_rows(train_targets)
    return {
        "train": train[balanced(train_targets[train], SHIPPED_COUNTS["train"], SPLIT_SEED)],
        "validation": validation[balanced(train_targets[validation], SHIPPED_COUNTS["validation"], SPLIT_SEED)],
        "test": balanced(test_targets, SHIPPED_COUNTS["test"], SPLIT_SEED),
    }


def full_images(part: str) -> tuple[np.ndarray, np.ndarray]:
    """All images (N, 32, 32, 3) and classes (N,) of the full "train" or "test" set; see FULL_SETS for their files.

    Raises CorruptFile.
    """
    folder = full_set_folder("cifar10")
    if folder.name == "cifar10":
        names, labels = SHEETS[part], folder / f"{part}_labels.json"
        images = np.concatenate([read_sheet(folder / name, SIZE) for name in names])
        return _together(images, read_classes(labels), folder / names[0], labels)
    from torchvision.datasets import CIFAR10  # here: it takes as long as torch itself, and few need it

    try:
        # The files are pickles; torchvision opens them only when they are the official ones, by their checksums.
        found = CIFAR10(data_folder(), train=part == "train", download=False)
    except (RuntimeError, OSError) as error:
        sentence = _("The CIFAR-10 in {folder} is damaged or not the official one; delete it and download it again.")
        raise CorruptFile(sentence.format(folder=folder)) from error
    return found.data, np.array(found.targets)


def _split_rows(targets) -> list:
    return stratified(targets, (1 - VALIDATION_SHARE, VALIDATION_SHARE), SPLIT_SEED)


def _full_parts() -> tuple[Split, Split, Split]:
    images, classes = full_images("train")
    train = _split(images, classes)
    learn, decide = _split_rows(classes)
    return train.take(learn), train.take(decide), _split(*full_images("test"))


def _shipped_parts() -> tuple[Split, Split, Split]:
    return tuple(_split(*_shipped(SHIPPED / "cifar10", part)) for part in SHIPPED_COUNTS)


def _shipped(folder: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    sheet, labels = folder / f"{part}.webp", folder / f"{part}.json"
    return _together(read_sheet(sheet, SIZE), read_classes(labels), sheet, labels)


def _together(images: np.ndarray, classes: np.ndarray, sheet: Path, labels: Path) -> tuple[np.ndarray, np.ndarray]:
    """Both, after a look whether they belong together. Raises CorruptFile."""
    fits = len(images) == len(classes) and 0 <= classes.min() <= classes.max() < len(CLASSES)
    check_together(sheet, labels, fits)
    return images, classes


def _split(images: np.ndarray, classes: np.ndarray) -> Split:
    inputs = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).contiguous()
    return Split(inputs, torch.from_numpy(classes).long(), NORMALIZATION, flips=True, shift=4, task=CLASSIFICATION)
