"""Options that several commands share, drawn from the settings of a recipe."""

import argparse
import json

from prunekit.core.errors import BadSetting
from prunekit.core.language import N_, _
from prunekit.core.recipe import Recipe, Training
from prunekit.core.settings import Setting, settings_of

DEFAULT_MODEL = "lenet-fashion"


def add_model(parser) -> None:
    parser.add_argument("--model", default=DEFAULT_MODEL, help=_("a model's id (see `models`)"))


def add_settings(parser, cls, leave_out: tuple[str, ...] = ()) -> None:
    """One option for each described field: its name, help, choices and default come from the field."""
    for s in settings_of(cls):
        if s.name not in leave_out:
            add_setting(parser, s)


def add_setting(parser, s: Setting) -> None:
    """The option of one setting. Limits are checked by the recipe itself, so that they are worded once."""
    flag = "--" + s.name.replace("_", "-")
    words = f"{_(s.help)} ({_('default')}: {s.default})".replace("%", "%%")
    if s.kind is bool:
        parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=s.default, help=words)
    else:
        parser.add_argument(flag, type=s.kind, default=s.default, help=words, metavar=s.name.upper())


def add_scoring(parser) -> None:
    """The options that say how to score."""
    known = {s.name: s for s in settings_of(Recipe)}
    for name in ("scorer", "granularity", "calibration", "seed"):
        add_setting(parser, known[name])
    add_knobs(parser)


def add_knobs(parser, words: str = N_("a setting of the criterion")) -> None:
    parser.add_argument("--knob", action="append", default=[], metavar="NAME=VALUE", help=_(words))


def add_own_cuts(parser) -> None:
    """The options for the layers that do not follow the cut of the whole net."""
    parser.add_argument(
        "--override", action="append", default=[], metavar="LAYER=SPARSITY", help=_("a layer's own cut")
    )
    parser.add_argument("--lock", action="append", default=[], metavar="LAYER", help=_("a layer to leave whole"))


def shared_fields(options) -> dict:
    """The fields of a recipe that `add_knobs`, `add_own_cuts` and `add_settings(parser, Training)` ask for."""
    overrides = pairs(options.override, "--override").items()
    return {
        "knobs": pairs(options.knob, "--knob"),
        "overrides": {name: number(value, _("The sparsity of {name}").format(name=name)) for name, value in overrides},
        "locked": tuple(options.lock),
        "training": Training(**{s.name: getattr(options, s.name) for s in settings_of(Training)}),
    }


def pairs(words: list[str], what: str) -> dict:
    """NAME=VALUE words as a dict; numbers and true/false become what they are."""
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not (name and equals and value):
            raise BadSetting(_("{what} is written NAME=VALUE, not “{word}”.").format(what=what, word=word))
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found


def number(value, what: str) -> float:
    """A number, or BadSetting."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise BadSetting(_("{what} must be a number, not “{value}”.").format(what=what, value=value))
    return float(value)
