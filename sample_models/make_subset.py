"""Make the shipped subset of Fashion-MNIST from the full set: python sample_models/make_subset.py [--data FOLDER]."""

import argparse
import os
import shutil
import sys
from pathlib import Path

# A script, not an installed package: the repository must be found first.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from prunekit.data.fashion_mnist import shipped_rows
from prunekit.data.folder import SHIPPED, data_folder
from prunekit.data.idx import read_idx, write_idx


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the shipped subset of Fashion-MNIST from the full set.")
    parser.add_argument("--data", help="folder that holds FashionMNIST/raw/*.gz (default: PRUNEKIT_DATA, else data/)")
    given = parser.parse_args().data
    if given:
        os.environ["PRUNEKIT_DATA"] = given
    source = data_folder() / "FashionMNIST" / "raw"
    target = SHIPPED / "fashion-mnist"
    target.mkdir(parents=True, exist_ok=True)
    images = read_idx(source / "train-images-idx3-ubyte.gz")
    labels = read_idx(source / "train-labels-idx1-ubyte.gz")
    for part, rows in zip(("train", "validation"), shipped_rows(labels), strict=True):
        write_idx(target / f"{part}-images-idx3-ubyte.gz", images[rows])
        write_idx(target / f"{part}-labels-idx1-ubyte.gz", labels[rows])
        print(f"{part}: {len(rows)} of {len(labels)} images")
    for name in ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"):
        shutil.copyfile(source / name, target / name)
    print(f"test: the whole test set\nwritten to {target}")


if __name__ == "__main__":
    main()
