"""Where full data sets lie, and which of them are there: known without loading any."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

PARTS = ("full", "shipped")

# A full set's files below the data folder. One of several layouts is enough; the first whole one is read. The files of
# the MNIST family may each be gzipped.
FULL_SETS = {
    "fashion-mnist": (
        tuple(
            f"FashionMNIST/raw/{part}-{kind}"
            for part in ("train", "t10k")
            for kind in ("images-idx3-ubyte", "labels-idx1-ubyte")
        ),
    ),
    "cifar10": (
        # As torchvision unpacks the official archive.
        (
            "cifar-10-batches-py/batches.meta",
            "cifar-10-batches-py/test_batch",
            *(f"cifar-10-batches-py/data_batch_{i}" for i in range(1, 6)),
        ),
        # As sheets of pixels, in the order of the official files.
        (
            "cifar10/test_batch.png",
            "cifar10/test_labels.json",
            "cifar10/train_labels.json",
            *(f"cifar10/data_batch_{i}.png" for i in range(1, 6)),
        ),
    ),
}


def data_folder() -> Path:
    """The folder of full data sets: the environment variable PRUNEKIT_DATA, else `data/` in the repository."""
    given = os.environ.get("PRUNEKIT_DATA")
    return Path(given).expanduser() if given else ROOT / "data"


def has_full_set(name: str) -> bool:
    """Whether all files of a full set are there; False for a set that is shipped whole."""
    return bool(full_set_files(name))


def part_at_hand(name: str) -> str:
    """How much of a data set is here, one of PARTS: it belongs to the fingerprints of what is computed from it."""
    return "full" if has_full_set(name) else "shipped"


def full_set_files(name: str) -> list[Path]:
    """The files of a full set in the first layout that is whole; none where there is none."""
    for layout in FULL_SETS.get(name, ()):
        found = [_there(data_folder() / file) for file in layout]
        if all(found):
            return found
    return []


def full_set_folder(name: str) -> Path | None:
    """The folder that a full set lies in; None where there is none."""
    files = full_set_files(name)
    return files[0].parent if files else None


def full_set_bytes(name: str) -> int:
    """What a full set takes on the disk; 0 where there is none."""
    return sum(file.stat().st_size for file in full_set_files(name))


def _there(file: Path) -> Path | None:
    packed = file.with_name(file.name + ".gz")
    names = (file, packed) if file.name.endswith("-ubyte") else (file,)
    return next((path for path in names if path.is_file()), None)
