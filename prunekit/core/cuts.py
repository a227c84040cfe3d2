"""A cut: how much to prune, where, and what to leave alone. The one rule from fractions to exact counts."""

import math
import numbers
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from prunekit.core.errors import BadSetting
from prunekit.core.language import N_, _

# What is cut, how it is ranked and what an amount counts, each with the word that people read.
GRANULARITIES = {"weight": N_("weights"), "channel": N_("channels")}
SCOPES = {"global": N_("global"), "isomorphic": N_("isomorphic"), "layer": N_("per layer")}
TARGETS = {"sparsity": N_("units"), "parameters": N_("parameters"), "macs": N_("MACs"), "bytes": N_("bytes")}


# Of a cut, what is chosen once, while sparsities and locks move under the hand.
RULE = ("scope", "round_to", "floor")


def exact_count(fraction: float, units: int) -> int:
    """The number of units that a fraction means: rounded half up, 0 at 0 and all of them at 1."""
    # The tiny push keeps 0.35 * 10 (3.4999999999999996 in binary) from falling the wrong way.
    return min(units, math.floor(fraction * units + 0.5 + 1e-9))


def check_fraction(value: float, what: str) -> None:
    """Raises BadSetting unless `value` is a number in [0, 1]."""
    if not isinstance(value, numbers.Real) or isinstance(value, bool) or not 0 <= value <= 1:
        raise BadSetting(_("{what} must be between 0 and 1, not {value}.").format(what=what, value=value))


def zeros_take_room() -> str:
    """Why single weights cannot be cut to a number of bytes."""
    return _("Zeros take as much room as other weights: cut channels to save bytes, or aim at parameters.")


@dataclass(frozen=True)
class Cut:
    """What to prune: `sparsity` of all rows that are neither overridden nor locked.

    `scope` is "global" (those rows are ranked together), "isomorphic" (those of one kind are, and the same fraction of
    each kind goes) or "layer" (the same fraction of each row); `overrides` maps row names to a sparsity of their own;
    `locked` rows stay whole. Of a row that is cut, as many units stay as the nearest multiple of `round_to` (half up,
    never none), and `floor` at least.
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

    def pools(self, names: Sequence[str], kinds: Sequence) -> list[list[int]]:
        """The rows that are ranked together, as indices of `names`; none that is locked or has a cut of its own.

        kinds: for each row what tells whether another one is of the same kind.
        """
        free = [i for i, name in enumerate(names) if self.is_free(name)]
        if self.scope == "global":
            return [free] if free else []
        if self.scope == "layer":
            return [[i] for i in free]
        alike: dict[Hashable, list[int]] = {}
        for i in free:
            alike.setdefault(kinds[i], []).append(i)
        return list(alike.values())

    def own_count(self, name: str, units: int) -> int:
        """How many units of a row that is not free go."""
        return 0 if name in self.locked else exact_count(self.overrides[name], units)

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
