"""From a cut to exact counts and costs in well under a millisecond, with numpy alone."""

import dataclasses
import functools
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from prunekit.core.cuts import TARGETS, Cut, Row, check_fraction, lane_of, zeros_take_room
from prunekit.core.errors import BadSetting
from prunekit.core.language import _

# Rows up to this many units keep every score, so their counts are exact. Larger ones keep the scores at QUANTILES
# evenly spaced ranks, so that no count is off by more than a bucket, 0.024 % of the row, and at TAIL ranks that get
# denser towards both ends, where the scores of one row can lie among the bulk of another's.
EXACT_UNITS = 2**17
QUANTILES = 2**12 + 1
TAIL = 2**10

QUANTITIES = ("parameters", "nonzero", "macs", "bytes")


@dataclass(frozen=True)
class Costs:
    """What a network costs as a function of the kept units of each row.

    Every tensor of a network is a product of axis sizes, and an axis grows with the kept units of the rows it
    comes from: `size = growth @ kept + fixed`. A term is `coefficients * size[first] * size[second]`.

    growth: (axes, rows); fixed: (axes,); first, second: (terms,) axis indices, -1 standing for a size of 1;
    coefficients: (terms, 4), one column for each of QUANTITIES; owner: (terms,) index of the layer each belongs to;
    constant: (4,), what no cut changes; layers: the layer names.
    """

    growth: np.ndarray
    fixed: np.ndarray
    first: np.ndarray
    second: np.ndarray
    coefficients: np.ndarray
    owner: np.ndarray
    constant: np.ndarray
    layers: tuple[str, ...]

    def quantity(self, target: str) -> str:
        """Which of QUANTITIES a target counts: parameters are the non-zero ones where zeros stay in place."""
        return "nonzero" if target == "parameters" and self.leaves_zeros else target

    @property
    def leaves_zeros(self) -> bool:
        """Whether what is cut stays in place as zeros: no cut changes the parameters."""
        rows = self.growth.shape[1]
        return rows > 0 and np.allclose(self.terms(np.zeros(rows))[:, 0], self.terms(np.ones(rows))[:, 0])

    def terms(self, kept: np.ndarray) -> np.ndarray:
        """Each term's share of QUANTITIES, shape (terms, 4)."""
        size = np.append(self.growth @ kept + self.fixed, 1.0)  # index -1 reads the 1
        return self.coefficients * (size[self.first] * size[self.second])[:, None]

    def totals(self, kept: np.ndarray) -> dict[str, int]:
        """Parameters, non-zero parameters, MACs and bytes of the whole network."""
        values = self.terms(kept).sum(axis=0) + self.constant
        return {name: round(value) for name, value in zip(QUANTITIES, values, strict=True)}

    def per_layer(self, kept: np.ndarray) -> dict[str, dict[str, int]]:
        """The same for each layer, without what no layer owns."""
        sums = np.zeros((len(self.layers), len(QUANTITIES)))
        np.add.at(sums, self.owner, self.terms(kept))
        return {
            layer: dict(zip(QUANTITIES, map(int, np.rint(row)), strict=True))
            for layer, row in zip(self.layers, sums, strict=True)
        }


@dataclass(frozen=True)
class CutTable:
    """The sorted scores of every row (a weight tensor, or a group of channels), and what a cut of them saves.

    names: row names in the network's order; units: (rows,) how many units each has;
    edges: for each row its scores in ascending order, all of them or some (`kept_ranks`), float32;
    ranks: for each row the ranks of its edges, 0 being the lowest score; kinds, sides, lanes: (rows,) see `Row`.
    """

    names: tuple[str, ...]
    units: np.ndarray
    edges: tuple[np.ndarray, ...]
    ranks: tuple[np.ndarray, ...]
    costs: Costs
    kinds: np.ndarray
    sides: np.ndarray
    lanes: np.ndarray
    _merged: dict = field(default_factory=dict, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)  # visitors share a table

    @classmethod
    def of(
        cls,
        sorted_scores: dict[str, np.ndarray],
        costs: Costs,
        kinds: Mapping[str, str] | None = None,
        shapes: Mapping[str, Sequence[int]] | None = None,
    ) -> "CutTable":
        """A table from each row's scores in ascending order (1-D, float32, no NaN).

        kinds: each row's kind; without them, rows of as many units are of one; shapes: of the tensor that each row's
        scores are; without them, it has one side.
        """
        rows = tuple(sorted_scores.values())
        ranks = tuple(kept_ranks(row) for row in rows)
        edges = tuple(row[kept] for row, kept in zip(rows, ranks, strict=True))
        units = np.array([len(row) for row in rows], dtype=np.int64)
        told = units.tolist() if kinds is None else [kinds[name] for name in sorted_scores]
        numbers = {kind: i for i, kind in enumerate(dict.fromkeys(told))}
        alike = np.array([numbers[kind] for kind in told], dtype=np.int64)
        tensors = [(int(n),) if shapes is None else shapes[name] for name, n in zip(sorted_scores, units, strict=True)]
        sides, lanes = (np.array([f(t) for t in tensors], dtype=np.int64) for f in (sum, lane_of))
        return cls(tuple(sorted_scores), units, edges, ranks, costs, alike, sides, lanes)

    @functools.cached_property
    def rows(self) -> tuple[Row, ...]:
        """What a cut has to know of each row."""
        columns = (column.tolist() for column in (self.units, self.kinds, self.sides, self.lanes))
        return tuple(Row(*row) for row in zip(self.names, *columns, strict=True))

    # -- from a cut to counts ---------------------------------------------------------------------------------

    def pruned(self, cut: Cut) -> np.ndarray:
        """How many units of each row go, shape (rows,); the same numbers as the mask that `prune_lowest` makes."""
        counts = np.zeros(len(self.names), dtype=np.int64)
        for i, row in enumerate(self.rows):
            if not cut.is_free(row.name):
                counts[i] = cut.own_count(row)
        for pool, count in cut.pools(self.rows):
            counts[pool] = self._lowest_of(pool, count)
        if cut.is_bounded:
            counts[:] = [cut.bounded(int(gone), int(units)) for gone, units in zip(counts, self.units, strict=True)]
        return counts

    def kept(self, cut: Cut) -> np.ndarray:
        """How many units of each row stay; no row falls below the floor, as in masked and removed models."""
        return np.maximum(self.units - self.pruned(cut), np.minimum(cut.floor, self.units))

    def sparsity(self, kept: np.ndarray) -> float:
        """Pruned over prunable units."""
        total = int(self.units.sum())
        return 1 - int(kept.sum()) / total if total else 0.0

    def threshold(self, cut: Cut) -> np.ndarray:
        """Each row's cut in score units, shape (rows,): halfway between the last unit that goes and the first kept."""
        counts = self.pruned(cut)
        return np.array([self.score_at(i, int(counts[i])) for i in range(len(counts))])

    def score_at(self, row: int, count: int) -> float:
        """A score of row `row` with `count` units below it (ties aside)."""
        edges, ranks = self.edges[row], self.ranks[row]
        if not len(edges):
            return 0.0
        if count <= 0:
            return float(edges[0])
        if count >= self.units[row]:
            return float(np.nextafter(edges[-1], np.float32(np.inf)))
        stays = int(np.searchsorted(ranks, count))
        below, above = edges[stays - 1], edges[stays]
        share = (count - 0.5 - ranks[stays - 1]) / (ranks[stays] - ranks[stays - 1])
        between = below + (above - below) * np.float32(share)
        # Between neighbours in float32 there is no room: rounding down would leave the last one that goes.
        return float(above if between <= below else between)

    def scores_at(self, row: int, points: int) -> np.ndarray:
        """The scores of row `row` at up to `points` evenly spaced ranks, float32; all of them where that is enough."""
        wanted = np.linspace(0, self.units[row] - 1, min(points, int(self.units[row])))
        return np.interp(np.rint(wanted), self.ranks[row], self.edges[row]).astype(np.float32)

    def count_below(self, row: int, threshold: float) -> int:
        """How many units of row `row` score below `threshold`; exact where all scores are kept."""
        with np.errstate(over="ignore"):  # a threshold beyond float32 is infinite there, which is what it means
            return self._below(row, np.float32(threshold))[0]

    def sparsity_below(self, threshold: float, cut: Cut) -> float:
        """The sparsity of the free rows when everything that scores below `threshold` goes."""
        free = [i for i, name in enumerate(self.names) if cut.is_free(name)]
        total = int(self.units[free].sum()) if free else 0
        return sum(self.count_below(i, threshold) for i in free) / total if total else 0.0

    # -- from a target to a cut -------------------------------------------------------------------------------

    def solve(self, target: str, amount: float, cut: Cut) -> Cut:
        """`cut` with the smallest sparsity that takes away at least `amount` of `target`.

        target: "sparsity" (units), "parameters" (as `Costs.quantity` counts them), "macs" or "bytes". Where even
        everything is not enough (locked layers, the floor), everything that may go goes. Raises BadSetting for an
        amount outside [0, 1], another target, and bytes where zeros stay in place.
        """
        check_fraction(amount, _("The amount"))
        if target == "sparsity":
            return dataclasses.replace(cut, sparsity=amount)
        if target not in TARGETS:
            sentence = _("Target must be one of {choices}, not “{given}”.")
            raise BadSetting(sentence.format(choices=", ".join(TARGETS), given=target))
        if target == "bytes" and self.costs.leaves_zeros:
            raise BadSetting(zeros_take_room())
        quantity = self.costs.quantity(target)
        # The tiny push: (1 - 0.9) * 10 is 0.9999999999999998 in binary, and 1 of 10 may stay.
        allowed = (1 - amount) * self.costs.totals(self.units)[quantity] * (1 + 1e-12)
        total = sum(int(n) for name, n in zip(self.names, self.units, strict=True) if cut.is_free(name))

        def at(count: int) -> Cut:
            return dataclasses.replace(cut, sparsity=count / total if total else 0.0)

        low, high = 0, total
        while low < high:
            middle = (low + high) // 2
            if self.costs.totals(self.kept(at(middle)))[quantity] <= allowed:
                high = middle
            else:
                low = middle + 1
        return at(low)

    # -- the global ranking -----------------------------------------------------------------------------------

    def _lowest_of(self, free: list[int], count: int) -> np.ndarray:
        """How many of each of some rows are among the `count` lowest scores of them all."""
        units = self.units[free]
        if len(free) == 1:
            return np.array([count])
        if count == 0 or count == units.sum():
            return units * bool(count)
        scores, cumulative = self._ranking(tuple(free))
        index = int(np.searchsorted(cumulative, count))
        # Once is enough where all scores are kept. Elsewhere the ranking counts a bucket only at its upper edge, and
        # many large rows together would be off by many half buckets: look again where their sum says.
        for _attempt in range(4):
            bounds = np.array([self._below(i, scores[index]) for i in free])
            below, up_to = bounds.sum(axis=0)
            if below <= count <= up_to:
                break
            off = count - (below if count < below else up_to)
            index = min(int(np.searchsorted(cumulative, cumulative[index] + off)), len(scores) - 1)
        counts, ties = bounds[:, 0], bounds[:, 1] - bounds[:, 0]
        # Ties go in the network's order, as in the mask.
        before = np.cumsum(ties) - ties
        counts = counts + np.clip(count - counts.sum() - before, 0, ties)
        # Rows known by quantiles only can still miss the sum by less than a bucket: the largest take the difference.
        missing = count - int(counts.sum())
        for row in np.argsort(-units, kind="stable") if missing else ():
            change = int(np.clip(missing, -counts[row], units[row] - counts[row]))
            counts[row] += change
            missing -= change
        return counts

    def _ranking(self, free: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        """All edges of some rows in ascending order, and how many units each brings the count to."""
        with self._lock:
            return self._ranked(free)

    def _ranked(self, free: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        if free not in self._merged:
            scores = np.concatenate([self.edges[i] for i in free])
            weights = np.concatenate([np.diff(self.ranks[i], prepend=-1) for i in free])
            order = np.argsort(scores, kind="stable")
            # A handful of lock states at most, a few MB each.
            most = 4 * sum(len(edges) for edges in self.edges)
            while self._merged and sum(len(ranked) for ranked, _ in self._merged.values()) + len(scores) > most:
                self._merged.pop(next(iter(self._merged)))
            self._merged[free] = scores[order], np.cumsum(weights[order])
        return self._merged[free]

    def _below(self, row: int, threshold: np.float32) -> tuple[int, int]:
        """How many units of a row score below `threshold`, and how many at most `threshold`."""
        edges, ranks = self.edges[row], self.ranks[row]
        left, right = int(edges.searchsorted(threshold)), int(edges.searchsorted(threshold, "right"))
        if right > left:  # an edge: the first and the last unit with its score are kept
            return int(ranks[left]), int(ranks[right - 1]) + 1
        if left == 0:
            return 0, 0
        if left == len(edges):
            return int(self.units[row]), int(self.units[row])
        low, high = int(ranks[left - 1]) + 1, int(ranks[left])
        share = float(threshold - edges[left - 1]) / float(edges[left] - edges[left - 1])
        between = low + round(share * (high - low))
        return between, between

    # -- plain values, for the way between processes ----------------------------------------------------------

    def to_plain(self) -> dict:
        # Where every score is kept, its rank is its place.
        some = [ranks if len(ranks) < units else ranks[:0] for ranks, units in zip(self.ranks, self.units, strict=True)]
        return {
            "names": list(self.names),
            "units": self.units,
            "edges": list(self.edges),
            "ranks": some,
            "kinds": self.kinds,
            "sides": self.sides,
            "lanes": self.lanes,
            "costs": vars(self.costs) | {"layers": list(self.costs.layers)},
        }

    @classmethod
    def from_plain(cls, plain: dict) -> "CutTable":
        costs = Costs(**plain["costs"] | {"layers": tuple(plain["costs"]["layers"])})
        edges = tuple(plain["edges"])
        ranks = tuple(
            some if len(some) else np.arange(len(kept)) for some, kept in zip(plain["ranks"], edges, strict=True)
        )
        return cls(
            tuple(plain["names"]), plain["units"], edges, ranks, costs, plain["kinds"], plain["sides"], plain["lanes"]
        )


def kept_ranks(ordered: np.ndarray) -> np.ndarray:
    """The ranks at which a row of scores, given in ascending order, keeps them, ascending (see EXACT_UNITS).

    Of scores that tie the first and the last rank are kept, so that counts are exact at every kept score.
    """
    units = len(ordered)
    if units <= EXACT_UNITS:
        return np.arange(units)
    even = np.linspace(0, units - 1, QUANTILES)
    tail = np.geomspace(1, units / 2, TAIL)
    scores = ordered[np.unique(np.rint(np.concatenate([even, tail - 1, units - tail])).astype(np.int64))]
    return np.unique([ordered.searchsorted(scores), ordered.searchsorted(scores, "right") - 1])
