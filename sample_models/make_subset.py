"""Make the shipped subset of a data set: python sample_models/make_subset.py fashion-mnist|cifar10 [--data FOLDER]."""

import argparse
import hashlib
import json
import os
import shutil
import sys
from pathlib import Path

# A script, not an installed package: the repository must be found first.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from prunekit.core.data_folder import full_set_files, has_full_set
from prunekit.data import cifar10, fashion_mnist
from prunekit.data.folder import SHIPPED
from prunekit.data.idx import read_idx, write_idx
from prunekit.data.sheets import write_classes, write_sheet


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the shipped subset of a data set from its full set.")
    parser.add_argument("name", choices=SUBSETS)
    parser.add_argument("--data", help="folder of full data sets (default: PRUNEKIT_DATA, else data/)")
    given = parser.parse_args()
    if given.data:
        os.environ["PRUNEKIT_DATA"] = given.data
    target = SHIPPED / given.name
    if not has_full_set(given.name):
        parser.error(f"the full set is not there; python -m prunekit data --download {given.name} gets it")
    target.mkdir(parents=True, exist_ok=True)
    SUBSETS[given.name](target)
    print(f"written to {target}")


def make_fashion_mnist(target: Path) -> None:
    """idx files, gzipped; the test set is shipped whole."""
    found = {file.name.removesuffix(".gz"): file for file in full_set_files("fashion-mnist")}
    images, labels = (read_idx(found[f"train-{kind}-ubyte"]) for kind in ("images-idx3", "labels-idx1"))
    for part, rows in zip(("train", "validation"), fashion_mnist.shipped_rows(labels), strict=True):
        write_idx(target / f"{part}-images-idx3-ubyte.gz", images[rows])
        write_idx(target / f"{part}-labels-idx1-ubyte.gz", labels[rows])
        print(f"{part}: {len(rows)} of {len(labels)} images")
    for name in ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
        if found[name].suffix == ".gz":
            shutil.copyfile(found[name], target / found[name].name)
        else:
            write_idx(target / f"{name}.gz", read_idx(found[name]))
    print("test: the whole test set")


def make_cifar10(target: Path) -> None:
    """A lossless sheet and a list of classes for each part, and the checksums of the original pixels and classes."""
    full = {part: cifar10.full_images(part) for part in ("train", "test")}
    rows = cifar10.shipped_rows(full["train"][1], full["test"][1])
    checksums = {}
    for part, chosen in rows.items():
        images, classes = (values[chosen] for values in full["test" if part == "test" else "train"])
        # Of the originals, before they become a sheet: a test compares what is read from the sheet.
        checksums[part] = {"images": sha256(images), "classes": sha256(classes.astype("<i8"))}
        write_sheet(target / f"{part}.webp", images)
        write_classes(target / f"{part}.json", classes)
        print(f"{part}: {len(chosen)} images", flush=True)
    (target / "checksums.json").write_text(json.dumps(checksums, indent=1) + "\n", encoding="utf-8")


def sha256(array) -> str:
    return hashlib.sha256(array.tobytes()).hexdigest()


SUBSETS = {"fashion-mnist": make_fashion_mnist, "cifar10": make_cifar10}

if __name__ == "__main__":
    main()
