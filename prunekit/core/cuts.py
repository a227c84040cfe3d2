"""A cut: how much to prune, where, and what to leave alone. The one rule from fractions to exact counts."""

import math
import numbers
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from prunekit.core.errors import BadSetting
from prunekit.core.language import N_, _

# What is cut, how it is ranked and what an amount counts, each with the word that people read.
GRANULARITIES = {
    "weight": N_("weights"),
    "kernel": N_("kernels"),
    "row": N_("rows"),
    "tile": N_("tiles"),
    "channel": N_("channels"),
}
ZEROED = ("weight", "kernel", "row", "tile")  # what becomes zeros in its place; channels are removed
PARTS = ZEROED[1:]  # of weight tensors, which some have none of
TILE = 4  # weights along each side of a tile
SCOPES = {
    "global": N_("global"),
    "isomorphic": N_("isomorphic"),
    "layer": N_("per layer"),
    "erk": "ERK",
    "n:4": "N:4",
    "n:8": "N:8",
}
LANES = {"n:4": 4, "n:8": 8}  # scopes that take the same number of each so many neighbours
OF_WEIGHTS = ("erk", *LANES)  # scopes that are about the shape of weight tensors
TARGETS = {"sparsity": N_("units"), "parameters": N_("parameters"), "macs": N_("MACs"), "bytes": N_("bytes")}


# Of a cut, what is chosen once, while sparsities and locks move under the hand.
BOUNDS = ("round_to", "floor")
RULE = ("scope", *BOUNDS)


def exact_count(fraction: float, units: int) -> int:
    """The number of units that a fraction means: rounded half up, 0 at 0 and all of them at 1."""
    # The tiny push keeps 0.35 * 10 (3.4999999999999996 in binary) from falling the wrong way.
    return min(units, math.floor(fraction * units + 0.5 + 1e-9))


def check_fraction(value: float, what: str) -> None:
    """Raises BadSetting unless `value` is a number in [0, 1]."""
    if not isinstance(value, numbers.Real) or isinstance(value, bool) or not 0 <= value <= 1:
        raise BadSetting(_("{what} must be between 0 and 1, not {value}.").format(what=what, value=value))


def scopes_of(granularities: Iterable[str]) -> tuple[str, ...]:
    """The scopes that make sense for all of some granularities."""
    return tuple(scope for scope in SCOPES if scope not in OF_WEIGHTS or set(granularities) <= {"weight"})


def check_fits(granularities: Iterable[str], scope: str, target: str = "sparsity", round_to: int = 1) -> None:
    """Raises BadSetting where a scope, a target or rounding makes no sense for a granularity."""
    granularities = set(granularities)
    if scope not in scopes_of(granularities):
        if scope in LANES:
            raise BadSetting(_("N of M is about neighbouring weights; choose weights, or another scope."))
        raise BadSetting(_("ERK shares the sparsity out over weight tensors; choose weights, or another scope."))
    if target == "bytes" and not granularities.isdisjoint(ZEROED):
        raise BadSetting(zeros_take_room())
    if round_to > 1 and "channel" not in granularities:
        raise BadSetting(_("Only channels are rounded: zeros make no tensor smaller."))


def zeros_take_room() -> str:
    """Why what becomes zeros cannot be cut to a number of bytes."""
    return _("Zeros take as much room as other weights: cut channels to save bytes, or aim at parameters.")


def nearest(sparsity: float, scope: str) -> float:
    """The sparsity that a scope makes of one that was asked for: of N of M the nearest multiple of 1/M."""
    group = LANES.get(scope)
    return exact_count(sparsity, group) / group if group else sparsity


def lane_of(shape: Sequence[int]) -> int:
    """How many entries of a tensor are neighbours in a line: those along its second side, all where there is none."""
    return shape[1] if len(shape) > 1 else math.prod(shape)


def erk_sparsities(sparsity: float, units: Sequence[int], sides: Sequence[int]) -> list[float]:
    """Each layer's share of a sparsity of them all, by the Erdős–Rényi-kernel rule: the density of a layer is in
    proportion to the sum of the sides of its weight tensor over their product, so that small layers keep more; one
    that would keep more than it has stays whole, and the others share the rest (Evci et al., 2020, arXiv:1911.11134).

    units: weights of each layer; sides: the sum of the sides of each tensor.
    """
    keep, whole = (1 - sparsity) * sum(units), set()
    while len(whole) < len(units):
        rest = [i for i in range(len(units)) if i not in whole]
        scale = (keep - sum(units[i] for i in whole)) / max(sum(sides[i] for i in rest), 1)
        full = [i for i in rest if scale * sides[i] >= units[i]]
        if not full:
            return [0.0 if i in whole else 1 - scale * sides[i] / units[i] for i in range(len(units))]
        whole.update(full)
    return [0.0] * len(units)


class Row(NamedTuple):
    """What a cut has to know of a row of scores, beside the scores.

    units: how many there are; kind: equal for rows of the same kind; sides: the sum of the sides of their tensor; lane:
    how many of them are neighbours in a line, the inputs of a weight tensor.
    """

    name: str
    units: int
    kind: Hashable
    sides: int
    lane: int

    @classmethod
    def of(cls, name: str, kind: Hashable, shape: Sequence[int]) -> "Row":
        """A row whose scores are a tensor of some shape."""
        return cls(name, math.prod(shape), kind, sum(shape), lane_of(shape))


@dataclass(frozen=True)
class Cut:
    """What to prune: `sparsity` of all rows that are neither overridden nor locked.

    `scope` is "global" (those rows are ranked together), "isomorphic" (those of one kind are, and the same fraction of
    each kind goes), "layer" (the same fraction of each row), "erk" (of each row as `erk_sparsities` says) or "n:4" and
    "n:8" (of each 4 or 8 neighbours in a line the same number, so that sparsities are multiples of 1/4 or 1/8);
    `overrides` maps row names to a sparsity of their own; `locked` rows stay whole. Of a row that is cut, as many units
    stay as the nearest multiple of `round_to` (half up, never none), and `floor` at least.
    """

    sparsity: float = 0.0
    scope: str = "global"
    overrides: Mapping[str, float] = field(default_factory=dict)
    locked: frozenset[str] = frozenset()
    round_to: int = 1
    floor: int = 1

    def __post_init__(self):
        check_fraction(self.sparsity, _("Sparsity"))
        if not (isinstance(self.scope, str) and self.scope in SCOPES):
            sentence = _("Scope must be one of {choices}, not “{given}”.")
            raise BadSetting(sentence.format(choices=", ".join(SCOPES), given=self.scope))
        for name, sparsity in self.overrides.items():
            check_fraction(sparsity, _("The sparsity of {name}").format(name=name))
        for what, number in ((_("The multiple to round to"), self.round_to), (_("The floor"), self.floor)):
            if not isinstance(number, int) or isinstance(number, bool) or number < 1:
                sentence = _("{what} must be a whole number from 1 on, not {value}.")
                raise BadSetting(sentence.format(what=what, value=number))

    def is_free(self, name: str) -> bool:
        """Whether a row follows the cut of the whole net."""
        return name not in self.locked and name not in self.overrides

    def pools(self, rows: Sequence[Row]) -> list[tuple[list[int], int]]:
        """The rows that are ranked together, as indices, and how many units of them together go; none that is locked or
        has a cut of its own.
        """
        free = [i for i, row in enumerate(rows) if self.is_free(row.name)]
        if self.scope == "erk":
            of_free = [rows[i] for i in free]
            shares = erk_sparsities(self.sparsity, [row.units for row in of_free], [row.sides for row in of_free])
            return [([i], exact_count(share, rows[i].units)) for i, share in zip(free, shares, strict=True)]
        if self.scope in LANES:
            return [([i], self._count(self.sparsity, rows[i])) for i in free]
        alike: dict[Hashable, list[int]] = {}
        for i in free:
            alike.setdefault({"global": 0, "isomorphic": rows[i].kind, "layer": i}[self.scope], []).append(i)
        return [(pool, exact_count(self.sparsity, sum(rows[i].units for i in pool))) for pool in alike.values()]

    def own_count(self, row: Row) -> int:
        """How many units of a row that is not free go."""
        return 0 if row.name in self.locked else self._count(self.overrides[row.name], row)

    def _count(self, sparsity: float, row: Row) -> int:
        """How many units of a row a sparsity of its own means."""
        if self.scope not in LANES or not row.units:
            return exact_count(sparsity, row.units)
        group = LANES[self.scope]
        stay = group - exact_count(sparsity, group)
        whole, rest = divmod(row.lane, group)
        # What is left over at the end of a line is a group that was filled up with zeros: so many stay of it too.
        return row.units // row.lane * (whole * (group - stay) + max(0, rest - stay))

    @property
    def rule(self) -> dict:
        """The fields that are chosen once and not moved by hand."""
        return {name: getattr(self, name) for name in RULE}

    @property
    def is_bounded(self) -> bool:
        """Whether rounding or the floor may keep other counts than the scores alone would."""
        return self.round_to > 1 or self.floor > 1

    def bounded(self, pruned: int, units: int) -> int:
        """How many units of a row go where `pruned` of them would, after rounding and with the floor under it.

        A row that nothing was to go of stays whole, and a floor is rounded up. The floor of one unit is not kept here
        but where a mask meets a model (`Mask.floored`), which says in which layers it mattered.
        """
        if not pruned or not self.is_bounded:
            return pruned
        kept = units - pruned
        if self.round_to > 1:
            kept = max((2 * kept + self.round_to) // (2 * self.round_to), 1) * self.round_to
        if self.floor > 1:
            kept = max(kept, -(-self.floor // self.round_to) * self.round_to)
        return max(units - kept, 0)

    def to_plain(self) -> dict:
        return {
            "sparsity": self.sparsity,
            "scope": self.scope,
            "overrides": dict(self.overrides),
            "locked": sorted(self.locked),
            "round_to": self.round_to,
            "floor": self.floor,
        }

    @classmethod
    def from_plain(cls, plain: Mapping) -> "Cut":
        return cls(
            float(plain["sparsity"]),
            plain["scope"],
            dict(plain["overrides"]),
            frozenset(plain["locked"]),
            plain["round_to"],
            plain["floor"],
        )
