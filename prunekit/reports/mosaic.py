"""Many small images as one: filters, what they answer, matrices of weights. Arrays in, pixels out."""

import math

import numpy as np

# Of what is above zero and below it, and of what is pruned; they are seen on a light page and on a dark one.
ABOVE, BELOW, PRUNED = (26, 147, 111), (221, 94, 51), (128, 140, 134)
NEUTRAL = (244, 244, 239)
GAP = 1  # pixels between two images before they are enlarged
WIDEST, LARGEST = 640, 16  # pixels: of an image, and of one of its squares


def signed(values: np.ndarray, largest: float) -> np.ndarray:
    """Numbers as colours, (..., 3) uint8: none is neutral, and `largest` the full colour of its sign."""
    share = np.clip(np.abs(values) / (largest or 1.0), 0, 1)[..., None]
    full = np.where((values >= 0)[..., None], np.array(ABOVE), np.array(BELOW))
    return np.rint(np.array(NEUTRAL) * (1 - share) + full * share).astype(np.uint8)


def painted(images: np.ndarray) -> np.ndarray:
    """(n, h, w) numbers, or (n, h, w, 3) of three inputs, as colours of one scale for all: (n, h, w, 3) uint8."""
    if not len(images):
        return np.zeros((*images.shape[:3], 3), np.uint8)
    largest = float(np.abs(images).max())
    if images.ndim == 3:
        return signed(images, largest)
    return np.rint(255 * (0.5 + 0.5 * images / (largest or 1.0))).astype(np.uint8)


def mosaic(images: np.ndarray, widest: int = WIDEST, like: int = 0) -> np.ndarray:
    """(n, h, w, 3) images side by side in rows, enlarged without blur to at most `widest` pixels; transparent gaps.

    like: how many images to arrange and enlarge them for, so that parts of a set look like parts of it; by default as
    many as there are. (rows, columns, 4) uint8. Raises ValueError without an image.
    """
    count, height, width, _colours = images.shape
    if not count:
        raise ValueError("there is no image to draw")
    like = max(like, count)
    across = min(like, max(math.ceil(math.sqrt(like * 3 * (height + GAP) / (width + GAP))), 1))
    whole = (-(-like // across) * (height + GAP), across * (width + GAP))
    across = min(across, count)
    down = -(-count // across)
    sheet = np.zeros((down * (height + GAP) - GAP, across * (width + GAP) - GAP, 4), np.uint8)
    for i, image in enumerate(images):
        y, x = (i // across) * (height + GAP), (i % across) * (width + GAP)
        sheet[y : y + height, x : x + width, :3] = image
        sheet[y : y + height, x : x + width, 3] = 255
    return enlarged(sheet, widest, whole)


def with_mask(matrix: np.ndarray, kept: np.ndarray, widest: int = WIDEST) -> np.ndarray:
    """A matrix of weights as colours, grey where it is pruned: (rows, columns, 3) uint8, enlarged without blur."""
    colours = signed(matrix, float(np.quantile(np.abs(matrix), 0.995)) if matrix.size else 1.0)
    return enlarged(np.where(kept[..., None], colours, np.array(PRUNED, np.uint8)), widest)


def enlarged(sheet: np.ndarray, widest: int, whole: tuple[int, int] = (0, 0)) -> np.ndarray:
    """Every pixel as a square of as many as fit, up to a size. whole: of what the sheet is a part, if it is one."""
    times = min(max(widest // max(*sheet.shape[:2], *whole), 1), LARGEST)
    return sheet.repeat(times, axis=0).repeat(times, axis=1)
