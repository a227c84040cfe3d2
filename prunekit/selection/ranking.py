"""The lowest scores of several rows together, to the exact count, without sorting them."""

from collections.abc import Mapping

import numpy as np
import torch

from prunekit.selection.neighbours import as_ranked
from prunekit.selection.rows import Rows, rows_of

# Up to this many scores are simply put into one array; of more, only those near the cut are.
SMALL = 2**20
FEW = 8  # one in so many scores at most lies near the cut, or there are many ties


def lowest(rows: Rows, count: int) -> dict[str, np.ndarray]:
    """Flags for each row: True at exactly `count` of all their units, those with the lowest scores.

    Units that tie go in the order of the rows and of their units.
    """
    total = sum(map(len, rows.values()))
    if count in (0, total):
        return {name: np.full(len(row), count > 0) for name, row in rows.items()}
    if total > SMALL and (found := _lowest_of_many(rows, count)):
        return found
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


def _lowest_of_many(rows: Rows, count: int) -> dict[str, np.ndarray] | None:
    """The same in fewer passes over all scores, where few of them lie near the cut; None where that is not so."""
    low, high = _around(list(rows.values()), count)
    flags, near, most = {}, {}, sum(map(len, rows.values())) // FEW
    for name, row in rows.items():
        beyond = row >= low
        between = beyond & (row <= high)
        most -= np.count_nonzero(between)
        if most < 0:
            return None  # many ties, say: their indices would take more room than their scores
        near[name] = np.flatnonzero(between)
        flags[name] = np.logical_not(beyond, out=beyond)
    left = count - sum(np.count_nonzero(flagged) for flagged in flags.values())
    scores = {name: rows[name][where] for name, where in near.items()}
    together = np.concatenate(list(scores.values()))
    if not 0 < left <= len(together):
        return None
    last = np.partition(together, left - 1)[left - 1]
    ties = left - np.count_nonzero(together < last)
    for name, where in near.items():
        equal = np.flatnonzero(scores[name] == last)[:ties]
        flags[name][where[scores[name] < last]] = True
        flags[name][where[equal]] = True
        ties -= len(equal)
    return flags


def kth_lowest(rows: list[np.ndarray], k: int):
    """The k-th lowest score of all rows, counted from 1."""
    total = sum(map(len, rows))
    if total > SMALL:
        low, high = _around(rows, k)
        beyond = [row >= low for row in rows]
        below = total - sum(map(np.count_nonzero, beyond))
        near = np.concatenate([row[from_low & (row <= high)] for row, from_low in zip(rows, beyond, strict=True)])
        if below < k <= below + len(near):
            return np.partition(near, k - below - 1)[k - below - 1]
    return np.partition(np.concatenate(rows), k - 1)[k - 1]


def _around(rows: list[np.ndarray], k: int) -> tuple:
    """Two scores between which the k-th lowest lies, nearly always: an evenly spaced sample says so.

    That spares a copy of everything; where it is wrong, everything is copied.
    """
    total = sum(map(len, rows))
    stride = total // SMALL + 1
    sample = np.sort(np.concatenate([row[::stride] for row in rows]))
    middle, margin = k * len(sample) // total, len(sample) // 128
    return sample[max(middle - margin, 0)], sample[min(middle + margin, len(sample) - 1)]


def order_of(scores: torch.Tensor, scope: str = "layer") -> torch.Tensor:
    """Each unit's place in the order in which those of one row go, 0 being the first; of the shape of the scores.

    Whatever the sparsity, the mask of that row prunes the units of the lowest places. scope: of the cut; where it takes
    the same number of each group of neighbours, the lowest of all groups come first.
    """
    [row] = rows_of({"": scores}).values()
    row = as_ranked(row, scores.shape, scope)
    places = np.empty(len(row), dtype=np.int64)
    places[row.argsort(kind="stable")] = np.arange(len(row))
    return torch.from_numpy(places).reshape(scores.shape)


def sorted_scores(scores: Mapping[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """Each entry's scores in ascending order, 1-D float32: what `core.cut_table.CutTable.of` is made from."""
    return {name: np.sort(row.astype(np.float32, copy=False)) for name, row in rows_of(scores).items()}
