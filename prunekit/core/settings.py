"""A setting is described once: one dataclass field carries default, label, help and limits."""

import dataclasses
import math
import typing
from dataclasses import dataclass
from typing import Any

from prunekit.core.errors import BadSetting
from prunekit.core.language import _


@dataclass(frozen=True)
class Setting:
    """What a form, a command line and a report need to know of one field."""

    name: str
    kind: type
    default: Any
    label: str
    help: str
    low: float | None = None
    high: float | None = None
    step: float | None = None
    choices: tuple = ()
    labels: tuple[str, ...] = ()
    percent: bool = False
    later: bool = False
    only: tuple[str, ...] = ()

    def matters(self, granularity: str) -> bool:
        """Whether it makes a difference at a granularity."""
        return not self.only or granularity in self.only

    def is_silent(self, value) -> bool:
        """Whether a value is not told: that of a later setting that is at its default (see `told`)."""
        return self.later and value == self.default


def setting(
    default, label, help, low=None, high=None, step=None, choices=(), labels=(), percent=False, later=False, only=()
):
    """A dataclass field with everything that is ever asked about it.

    `low` and `high` are inclusive limits, `labels` what people read for each of `choices`,
    `percent` says that a fraction in [0, 1] is shown as a percentage, `later` that the field came when there were
    histories already (see `told`), `only` the granularities at which it makes a difference, if not all.
    """
    known = {"label": label, "help": help, "low": low, "high": high, "step": step}
    known |= {"choices": tuple(choices), "labels": tuple(labels), "only": tuple(only)}
    known |= {"percent": percent, "later": later}
    return dataclasses.field(default=default, metadata=known)


def settings_of(cls) -> list[Setting]:
    """The described fields of a dataclass (or of an instance), in the order of its fields."""
    kinds = typing.get_type_hints(cls if isinstance(cls, type) else type(cls))
    described = (f for f in dataclasses.fields(cls) if "label" in f.metadata)
    return [Setting(f.name, kinds[f.name], f.default, **f.metadata) for f in described]


def told(value) -> dict:
    """A dataclass as plain values, without the later fields that are at their default.

    What is written down of it, and its fingerprint, are then the same as before there were such fields.
    """
    silent = {s.name for s in settings_of(value) if s.is_silent(getattr(value, s.name))}
    return {name: given for name, given in dataclasses.asdict(value).items() if name not in silent}


def check(value) -> None:
    """Raises BadSetting, in one sentence, for the first field of a dataclass that is outside its limits.

    Numbers take the kind of their field (an amount of 1 becomes 1.0, 3.0 epochs become 3), so that values that are
    equal are also written the same way and have the same fingerprint.
    """
    for s in settings_of(value):
        object.__setattr__(value, s.name, checked(s, getattr(value, s.name)))


def checked(s: Setting, given):
    """The given value as its setting has it. Raises BadSetting, in one sentence, outside the limits."""
    label = _(s.label)
    if s.choices:
        if given not in s.choices:
            sentence = _("{label} must be one of {choices}, not “{given}”.")
            given = _short(given) if isinstance(given, float) else given
            raise BadSetting(sentence.format(label=label, choices=", ".join(map(str, s.choices)), given=given))
        return s.choices[s.choices.index(given)]
    if s.kind in (int, float):
        number = isinstance(given, (int, float)) and not isinstance(given, bool) and _is_finite(given)
        whole = s.kind is float or (number and int(given) == given)
        if not (number and whole):
            wanted = _("a number") if s.kind is float else _("a whole number")
            raise BadSetting(
                _("{label} must be {wanted}, not “{given}”.").format(label=label, wanted=wanted, given=given)
            )
        low = -math.inf if s.low is None else s.low
        high = math.inf if s.high is None else s.high
        if not low <= given <= high:
            if s.high is None:
                sentence = _("{label} must be at least {low}, not {given}.")
            else:
                sentence = _("{label} must be between {low} and {high}, not {given}.")
            raise BadSetting(sentence.format(label=label, low=_short(s.low), high=_short(s.high), given=_short(given)))
        return s.kind(given)
    if s.kind is bool and not isinstance(given, bool):
        raise BadSetting(_("{label} must be yes or no, not “{given}”.").format(label=label, given=given))
    if s.kind is str and not isinstance(given, str):
        raise BadSetting(_("{label} must be text, not “{given}”.").format(label=label, given=given))
    return given


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # a whole number that no float can hold
        return False


def _short(limit: float | None) -> str:
    return "" if limit is None else f"{limit:.15g}"


def in_words(s: Setting, value) -> str:
    """A value of a setting as people read it: the label of a choice, or the number as it would be typed."""
    if value in s.choices and s.labels:
        return _(s.labels[s.choices.index(value)])
    return f"{value:g}" if isinstance(value, float) else str(value)


def from_plain(cls, plain: dict):
    """The dataclass from a plain mapping; unknown names raise BadSetting, missing ones take their defaults."""
    known = {f.name for f in dataclasses.fields(cls)}
    for name in plain:
        if name not in known:
            raise BadSetting(
                _("There is no setting “{name}” in a {kind}.").format(name=name, kind=cls.__name__.lower())
            )
    return cls(**plain)
