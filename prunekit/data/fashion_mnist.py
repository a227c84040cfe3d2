"""Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017): 28x28 grey pictures of clothes in ten classes."""

from pathlib import Path

import torch

from prunekit.core.data_cards import DATA_CARDS
from prunekit.core.data_folder import data_folder
from prunekit.core.language import N_
from prunekit.core.tasks import CLASSIFICATION
from prunekit.data.choosing import balanced, stratified
from prunekit.data.dataset import Dataset
from prunekit.data.folder import SHIPPED, check_together, takes_full
from prunekit.data.idx import read_idx
from prunekit.data.split import Split

CARD = DATA_CARDS["fashion-mnist"]
CLASSES = (
    N_("T-shirt/top"),
    N_("trouser"),
    N_("pullover"),
    N_("dress"),
    N_("coat"),
    N_("sandal"),
    N_("shirt"),
    N_("sneaker"),
    N_("bag"),
    N_("ankle boot"),
)
# Of the 60,000 training images in [0, 1].
NORMALIZATION = ((0.2860,), (0.3530,))
SHAPE = (1, 28, 28)

SPLIT_SEED = 20170828
VALIDATION_SHARE = 0.1
SHIPPED_TRAIN, SHIPPED_VALIDATION = 6000, 1000


def load(prefer: str) -> Dataset:
    """The full set where it is there and not unwanted, else the shipped subset; see `load_dataset`."""
    full = takes_full(CARD, prefer)
    train, validation, test = _full_parts() if full else _shipped_parts()
    return Dataset(CARD, train, validation, test, CLASSES, full)


def shipped_rows(targets) -> tuple:
    """Positions among the 60,000 of the shipped training and validation images, both class-balanced.

    They come from the training and the validation part of the full set, so no image changes sides.
    """
    train, validation = _split_rows(targets)
    return (
        train[balanced(targets[train], SHIPPED_TRAIN, SPLIT_SEED)],
        validation[balanced(targets[validation], SHIPPED_VALIDATION, SPLIT_SEED)],
    )


def _split_rows(targets) -> list:
    return stratified(targets, (1 - VALIDATION_SHARE, VALIDATION_SHARE), SPLIT_SEED)


def _full_parts() -> tuple[Split, Split, Split]:
    folder = data_folder() / "FashionMNIST" / "raw"
    train = _read(folder, "train")
    learn, decide = _split_rows(train.targets)
    return train.take(learn), train.take(decide), _read(folder, "t10k")


def _shipped_parts() -> tuple[Split, Split, Split]:
    return tuple(_read(SHIPPED / "fashion-mnist", part) for part in ("train", "validation", "t10k"))


def _read(folder: Path, part: str) -> Split:
    images_path, labels_path = (_file(folder, name) for name in _names(part))
    images, labels = read_idx(images_path), read_idx(labels_path)
    fits = images.shape[1:] == SHAPE[1:] and labels.shape == images.shape[:1] and len(labels)
    check_together(images_path, labels_path, bool(fits) and labels.max() < len(CLASSES))
    inputs, targets = torch.from_numpy(images).unsqueeze(1), torch.from_numpy(labels).long()
    return Split(inputs, targets, NORMALIZATION, flips=True, shift=1, task=CLASSIFICATION)


def _names(part: str) -> tuple[str, str]:
    return f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"


def _file(folder: Path, name: str) -> Path:
    """The unpacked file where there is one, as torchvision leaves it, else the gzipped one."""
    plain = folder / name
    return plain if plain.is_file() else folder / (name + ".gz")
