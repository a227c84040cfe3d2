"""Reads people's own scorers from the Python file that they name."""

import dataclasses
import inspect
import re
import sys
import types
from pathlib import Path

from prunekit.core.errors import BadSetting, PrunekitError
from prunekit.core.language import _
from prunekit.core.settings import settings_of
from prunekit.scoring.base import NEEDS, Scorer
from prunekit.structure.tracing_copy import first_line

MODULE = "prunekit_own_scorers"
WORDS = ("label", "formula", "help", "source")
PLAIN = {
    "of": ("loss", "output"),
    "each": ("batch", "example", "set"),
    "curved": (False, True),
    "behind": (False, True),
}
KNOBS = {"losses": "examples", "disturbances": "level"}  # that what a scorer needs takes for granted


def read_scorers(file: str, text: str, taken: set[str]) -> dict[str, type[Scorer]]:
    """All scorers that a file defines, by name, in its order. Its text is run: it is as trusted as who named it.

    taken: names that are not free any more. Raises BadSetting, in one sentence, where anything is amiss.
    """
    name = Path(file).name
    module = types.ModuleType(MODULE)
    module.__file__ = file
    sys.modules[MODULE] = module  # where dataclasses look their types up
    try:
        exec(compile(text, file, "exec"), module.__dict__)
    except (Exception, SystemExit) as error:  # whatever people write
        sentence = _("{file} cannot be read: {kind}: {reason}")
        told = {"file": name, "kind": type(error).__name__, "reason": first_line(error)}
        raise BadSetting(sentence.format(**told)) from error
    found: dict[str, type[Scorer]] = {}
    for kind in dict.fromkeys(value for value in vars(module).values() if inspect.isclass(value)):
        own = issubclass(kind, Scorer) and kind.__module__ == MODULE
        if own and not kind.__name__.startswith("_"):  # what others are derived from
            if fault := _fault(kind, taken | set(found)):
                raise BadSetting(f"{name}, {kind.__name__}: {fault}")
            found[kind.name] = kind
    if not found:
        sentence = _("{file} has no criteria: classes derived from Scorer or Coupled of prunekit.scoring.")
        raise BadSetting(sentence.format(file=name))
    return found


def _fault(kind: type[Scorer], taken: set[str]) -> str:
    """What is wrong with a scorer, in one sentence; "" when nothing is."""
    if lacking := sorted(kind.__abstractmethods__):
        return _("it lacks {rules}.").format(rules=", ".join(lacking))
    missing = [word for word in ("name", *WORDS) if not isinstance(getattr(kind, word, None), str)]
    if missing or not all(getattr(kind, word).strip() for word in WORDS):
        return _("it needs name, label, formula, help and source, each a text.")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", kind.name):
        return _("its name must be of small letters, digits and _, not “{name}”.").format(name=kind.name)
    if kind.name in taken:
        return _("there is a criterion “{name}” already.").format(name=kind.name)
    if kind.needs not in NEEDS:
        return _("needs must be one of {known}, not “{given}”.").format(known=", ".join(NEEDS), given=kind.needs)
    wrong = [word for word, known in PLAIN.items() if getattr(kind, word) not in known]
    if wrong or (kind.curved and (kind.each, kind.of) != ("set", "loss")):
        told = "; ".join(f"{word}: {', '.join(map(str, known))}" for word, known in PLAIN.items())
        return _("its attributes may be {known}; curved only with each = “set” of the loss.").format(known=told)
    if not kind.granularities or not set(kind.granularities) <= set(Scorer.granularities):
        return _("granularities must be some of {known}.").format(known=", ".join(Scorer.granularities))
    if any(isinstance(value, dataclasses.Field) for value in vars(kind).values()):
        return _("a class with settings begins with @dataclass(frozen=True).")
    if (knob := KNOBS.get(kind.needs)) and knob not in {s.name for s in settings_of(kind)}:
        return _("with needs “{needs}” it has a setting “{knob}”.").format(needs=kind.needs, knob=knob)
    for s in settings_of(kind):
        if s.kind not in (int, float, bool) and not s.choices:
            return _("its setting “{name}” must be a number, yes or no, or have choices.").format(name=s.name)
        if s.kind not in (int, float, bool, str):
            return _("its setting “{name}” is of a kind that no form has.").format(name=s.name)
    try:
        kind()
    except PrunekitError as error:
        return str(error)
    return ""
