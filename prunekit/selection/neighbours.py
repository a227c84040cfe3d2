"""N of M: of each group of neighbours along the inputs of a tensor, the lowest scores go."""

from collections.abc import Sequence

import numpy as np

from prunekit.core.cuts import LANES


def as_ranked(row: np.ndarray, shape: Sequence[int], scope: str) -> np.ndarray:
    """What the units of a tensor are ranked by (1-D, row-major): their scores, or in a scope of LANES their places."""
    return places_among_neighbours(row, shape, LANES[scope]) if scope in LANES else row


def places_among_neighbours(row: np.ndarray, shape: Sequence[int], group: int) -> np.ndarray:
    """The place of each score in its group, counted from above: -1 is the highest, -2 the next (1-D, int8).

    Groups are `group` neighbours along the second side of the tensor, or along the only one; those that tie go in their
    order. A shorter group at the end is one that was filled up with zeros: as many of it stay as of any other.
    """
    tensor = row.reshape(shape) if len(shape) > 1 else row.reshape(1, -1)
    lanes = np.moveaxis(tensor, 1, -1)
    places = np.empty(lanes.shape, dtype=np.int8)
    rest = lanes.shape[-1] % group
    whole = lanes.shape[-1] - rest
    for part, side in ((slice(0, whole), group), (slice(whole, None), rest)):
        values = lanes[..., part]
        if values.size:
            groups = values.reshape(*values.shape[:-1], -1, side)
            places[..., part] = (_ranks(groups) - np.int8(side)).reshape(values.shape)
    return np.moveaxis(places, -1, 1).reshape(-1)


def _ranks(groups: np.ndarray) -> np.ndarray:
    """The rank of each score within its group, the last axis: 0 is the lowest."""
    # Groups are short: comparing each with each other is faster than sorting millions of them.
    ranks = np.zeros(groups.shape, dtype=np.int8)
    for i in range(groups.shape[-1]):
        for j in range(i):
            after = groups[..., i] >= groups[..., j]
            ranks[..., i] += after
            ranks[..., j] += ~after
    return ranks
