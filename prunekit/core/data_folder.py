"""Where full data sets lie, and which of them are there: known without loading any."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# A full set's files below the data folder, in torchvision's layout; each may be gzipped.
FULL_SETS = {
    "fashion-mnist": tuple(
        f"FashionMNIST/raw/{part}-{kind}"
        for part in ("train", "t10k")
        for kind in ("images-idx3-ubyte", "labels-idx1-ubyte")
    ),
}


def data_folder() -> Path:
    """The folder of full data sets: the environment variable PRUNEKIT_DATA, else `data/` in the repository."""
    given = os.environ.get("PRUNEKIT_DATA")
    return Path(given).expanduser() if given else ROOT / "data"


def has_full_set(name: str) -> bool:
    """Whether all files of a full set are there; False for a set that is shipped whole."""
    files = [data_folder() / file for file in FULL_SETS.get(name, ())]
    return bool(files) and all(file.is_file() or file.with_name(file.name + ".gz").is_file() for file in files)
