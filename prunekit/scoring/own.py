"""Reads people's own scorers from the Python file that they name."""

import dataclasses
import importlib.machinery
import importlib.util
import inspect
import re
import sys
from pathlib import Path

from prunekit.core.cuts import GRANULARITIES
from prunekit.core.errors import BadSetting, PrunekitError
from prunekit.core.language import _
from prunekit.core.settings import settings_of
from prunekit.scoring.base import NEEDS, Scorer
from prunekit.structure.tracing_copy import first_line

MODULE = "prunekit_own_scorers"
WORDS = ("label", "formula", "help", "source")
KNOBS = {"losses": "examples", "disturbances": "level"}  # that what a scorer needs takes for granted


def read_scorers(file: Path, taken: set[str]) -> dict[str, type[Scorer]]:
    """All scorers that a file defines, by name, in its order. It is run: it is as trusted as who named it.

    taken: names that are not free any more. Raises BadSetting, in one sentence, where anything is amiss.
    """
    if not file.is_file():
        raise BadSetting(_("There is no file {file} with criteria.").format(file=file))
    spec = importlib.util.spec_from_loader(MODULE, importlib.machinery.SourceFileLoader(MODULE, str(file)))
    module = importlib.util.module_from_spec(spec)
    sys.modules[MODULE] = module  # where dataclasses look their types up
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever people write
        sentence = _("{file} cannot be read: {kind}: {reason}")
        told = {"file": file.name, "kind": type(error).__name__, "reason": first_line(error)}
        raise BadSetting(sentence.format(**told)) from error
    found: dict[str, type[Scorer]] = {}
    for kind in vars(module).values():
        own = inspect.isclass(kind) and issubclass(kind, Scorer) and kind.__module__ == MODULE
        if own and not inspect.isabstract(kind):
            if fault := _fault(kind, taken | set(found)):
                raise BadSetting(f"{file.name}, {kind.__name__}: {fault}")
            found[kind.name] = kind
    if not found:
        sentence = _("{file} has no criteria: classes derived from prunekit.scoring.Scorer with both of its rules.")
        raise BadSetting(sentence.format(file=file.name))
    return found


def _fault(kind: type[Scorer], taken: set[str]) -> str:
    """What is wrong with a scorer, in one sentence; "" when nothing is."""
    missing = [word for word in ("name", *WORDS) if not isinstance(getattr(kind, word, None), str)]
    if missing or not all(getattr(kind, word).strip() for word in WORDS):
        return _("it needs name, label, formula, help and source, each a text.")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", kind.name):
        return _("its name must be of small letters, digits and _, not “{name}”.").format(name=kind.name)
    if kind.name in taken:
        return _("there is a criterion “{name}” already.").format(name=kind.name)
    if kind.needs not in NEEDS:
        return _("needs must be one of {known}, not “{given}”.").format(known=", ".join(NEEDS), given=kind.needs)
    if not kind.granularities or not set(kind.granularities) <= set(GRANULARITIES):
        return _("granularities must be some of {known}.").format(known=", ".join(GRANULARITIES))
    if any(isinstance(value, dataclasses.Field) for value in vars(kind).values()):
        return _("a class with settings begins with @dataclass(frozen=True).")
    if (knob := KNOBS.get(kind.needs)) and knob not in {s.name for s in settings_of(kind)}:
        return _("with needs “{needs}” it has a setting “{knob}”.").format(needs=kind.needs, knob=knob)
    try:
        kind()
    except PrunekitError as error:
        return str(error)
    return ""
