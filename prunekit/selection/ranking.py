"""The lowest scores of several rows together, to the exact count, without sorting them."""

from collections.abc import Mapping

import numpy as np
import torch

from prunekit.core.cuts import LANES
from prunekit.selection.neighbours import places_among_neighbours
from prunekit.selection.rows import Rows, rows_of

# Up to this many scores are simply put into one array; of more, only those near the cut are.
SMALL = 2**20


def lowest(rows: Rows, count: int) -> dict[str, np.ndarray]:
    """Flags for each row: True at exactly `count` of all their units, those with the lowest scores.

    Units that tie go in the order of the rows and of their units.
    """
    total = sum(map(len, rows.values()))
    if count in (0, total):
        return {name: np.full(len(row), count > 0) for name, row in rows.items()}
    last = kth_lowest(list(rows.values()), count)
    flags = {name: row < last for name, row in rows.items()}
    ties = count - sum(np.count_nonzero(flagged) for flagged in flags.values())
    for name, row in rows.items():
        if ties == 0:
            break
        equal = np.flatnonzero(row == last)[:ties]
        flags[name][equal] = True
        ties -= len(equal)
    return flags


def kth_lowest(rows: list[np.ndarray], k: int):
    """The k-th lowest score of all rows, counted from 1."""
    total = sum(map(len, rows))
    if total > SMALL:
        # An evenly spaced sample says between which two scores to look; nearly always that is right, and it spares a
        # copy of everything. Where it is wrong, everything is copied.
        stride = total // SMALL + 1
        sample = np.sort(np.concatenate([row[::stride] for row in rows]))
        middle, margin = k * len(sample) // total, len(sample) // 128
        low, high = sample[max(middle - margin, 0)], sample[min(middle + margin, len(sample) - 1)]
        below = sum(np.count_nonzero(row < low) for row in rows)
        near = np.concatenate([row[(row >= low) & (row <= high)] for row in rows])
        if below < k <= below + len(near):
            return np.partition(near, k - below - 1)[k - below - 1]
    return np.partition(np.concatenate(rows), k - 1)[k - 1]


def order_of(scores: torch.Tensor, scope: str = "layer") -> torch.Tensor:
    """Each unit's place in the order in which those of one row go, 0 being the first; of the shape of the scores.

    Whatever the sparsity, the mask of that row prunes the units of the lowest places. scope: of the cut; where it takes
    the same number of each group of neighbours, the lowest of all groups come first.
    """
    [row] = rows_of({"": scores}).values()
    if scope in LANES:
        row = places_among_neighbours(row, scores.shape, LANES[scope])
    places = np.empty(len(row), dtype=np.int64)
    places[row.argsort(kind="stable")] = np.arange(len(row))
    return torch.from_numpy(places).reshape(scores.shape)


def sorted_scores(scores: Mapping[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """Each entry's scores in ascending order, 1-D float32: what `core.cut_table.CutTable.of` is made from."""
    return {name: np.sort(row.astype(np.float32, copy=False)) for name, row in rows_of(scores).items()}
