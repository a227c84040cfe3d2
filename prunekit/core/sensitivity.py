"""How much each row of scores can lose by itself, and the cut that a loss allows by these measurements."""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from prunekit.core.cut_table import CutTable
from prunekit.core.cuts import TARGETS, Cut, zeros_take_room
from prunekit.core.errors import BadSetting
from prunekit.core.language import _

SPARSITIES = tuple(tenth / 10 for tenth in range(1, 10))
TRIES = 7  # of a search: each halves what is between a cut that keeps the loss and one that does not
MOST = 4096  # ways to spend an allowed loss that are followed up: more than there are where examples are counted


@dataclass(frozen=True)
class Cell:
    """The metric with one row cut to a sparsity and everything else left alone.

    row: as the scores name it; pruned, units: how many of its units went, of how many; value, low, high: the metric on
    n examples and its 95 % interval, or None where the sparsity is too small for a single unit to go: then nothing was
    measured. baseline: the metric of the untouched model on the same examples.
    """

    row: str
    sparsity: float
    pruned: int
    units: int
    value: float | None
    low: float | None
    high: float | None
    n: int
    baseline: float

    @property
    def drop(self) -> float | None:
        """How much of the metric is lost, below 0 where it is better than before; None where nothing was pruned."""
        return None if self.value is None else self.baseline - self.value

    def to_plain(self) -> dict:
        return dataclasses.asdict(self)


Curves = Mapping[str, Sequence[Cell]]
Trial = TypeVar("Trial")


def allocation(table: CutTable, curves: Curves, allowed: float, target: str = "sparsity") -> dict[str, float]:
    """The measured sparsity of each row that together take away most of a target while the losses that were measured
    row by row add up to `allowed` of the metric at most; rows that lose nothing of themselves are left out.

    What the whole cut really loses is to be measured: losses of several rows need not add up. table: of the rows'
    scores; target: one of TARGETS, of which a row takes away what it does when it is cut alone. Of equals, the cut that
    loses less. Raises BadSetting for a negative or infinite loss, an unknown target, and bytes where zeros stay.
    """
    if not (isinstance(allowed, (int, float)) and 0 <= allowed < math.inf):
        raise BadSetting(_("The loss to allow must be a number from 0 on, not {value}.").format(value=allowed))
    if target not in TARGETS:
        sentence = _("Target must be one of {choices}, not “{given}”.")
        raise BadSetting(sentence.format(choices=", ".join(TARGETS), given=target))
    if target == "bytes" and table.costs.leaves_zeros:
        raise BadSetting(zeros_take_room())
    # A knapsack with one choice of each row: row by row, the ways to spend the loss that no other one betters.
    lost, gained, steps = np.zeros(1), np.zeros(1), []
    for cells in curves.values():
        offers = [cell for cell in cells if cell.value is not None]
        drops = np.array([0.0, *(max(cell.drop, 0.0) for cell in offers)])
        gains = np.array([0.0, *(_gain(table, cell, target) for cell in offers)])
        # Rounded: a loss of three examples is three times that of one only but for the last bits.
        all_lost = np.round(lost[:, None] + drops, 9).ravel()
        all_gained = (gained[:, None] + gains).ravel()
        best = _unbettered(all_lost, all_gained, round(allowed, 9))
        steps.append((offers, best))
        lost, gained = all_lost[best], all_gained[best]
    found, way = {}, len(lost) - 1
    for offers, best in reversed(steps):
        way, choice = divmod(int(best[way]), len(offers) + 1)
        if choice:
            cell = offers[choice - 1]
            found[cell.row] = cell.sparsity
    return {name: found[name] for name in curves if name in found}


def _unbettered(lost: np.ndarray, gained: np.ndarray, allowed: float) -> np.ndarray:
    """The indices of the ways that lose at most what is allowed and gain more than all that lose less, ascending."""
    order = np.lexsort((-gained, lost))
    order = order[lost[order] <= allowed]
    best = np.maximum.accumulate(gained[order])
    order = order[np.diff(best, prepend=-1.0) > 0]
    if len(order) > MOST:  # the last, which gains most, and evenly spaced ones
        order = order[np.unique(np.linspace(0, len(order) - 1, MOST).round().astype(int))]
    return order


def keeping(allowed: float, trial: Callable[[float], Trial], lost: Callable[[Trial], float | None]) -> Trial | None:
    """A search for the cut that loses `allowed` at most as a whole: the rows are allowed less and less.

    trial: gives what is tried at an allowance of the losses row by row, such as the cut of `allocation` with what was
    measured of it; lost: what that loses as a whole, or None while it is not known, which ends the search with that
    trial. Otherwise the last trial that keeps to it, found by halving TRIES times; None where none does.
    """
    best, low, high = None, 0.0, allowed
    for _attempt in range(TRIES):
        middle = (low + high) / 2
        now = trial(middle)
        if (loss := lost(now)) is None:
            return now
        if loss <= allowed + 1e-9:
            best, low = now, middle
        else:
            high = middle
    return best


def added_up(curves: Curves, sparsities: Mapping[str, float]) -> float:
    """What some rows lose of the metric, each measured by itself; a row that gained counts as losing nothing."""
    cells = {(cell.row, cell.sparsity): cell for row in curves.values() for cell in row}
    return sum(max(cells[chosen].drop or 0.0, 0.0) for chosen in sparsities.items())


def _gain(table: CutTable, cell: Cell, target: str) -> float:
    """How much of a target goes when this row alone is cut."""
    if target == "sparsity":
        return cell.pruned
    quantity = table.costs.quantity(target)
    kept = table.kept(Cut(0.0, overrides={cell.row: cell.sparsity}))
    return table.costs.totals(table.units)[quantity] - table.costs.totals(kept)[quantity]
