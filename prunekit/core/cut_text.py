"""A cut as text to copy and paste: JSON or CSV, written exactly and read forgivingly."""

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from prunekit.core.cuts import BOUNDS, GRANULARITIES, SCOPES, ZEROED, Cut, check_fits
from prunekit.core.errors import BadSetting
from prunekit.core.language import _
from prunekit.core.recipe import Recipe
from prunekit.core.settings import checked, settings_of

# What a row's sparsity is: its own, nothing at all, or what the cut of the whole net makes of it.
OWN, LOCKED, FOLLOWS = "own", "locked", "follows"
NET = "*"  # in CSV, the row that stands for all rows that follow
LONGEST = 200_000  # characters; a net of a thousand layers has 60,000
SHOWN = 12  # names that are listed in a sentence

_SETTINGS = {s.name: s for s in settings_of(Recipe)}
_NUMBER = r"[+-]?(?:\d+(?:[.,]\d+)?|[.,]\d+)(?:[eE][+-]?\d+)?"
_LINE = re.compile(
    r'\s*"?(?P<name>[^\s,;:="]+)"?(?:\s*[,;:=\s]\s*'
    rf'"?(?P<value>{_NUMBER}\s*%?)?"?\s*[,;\s]?\s*"?(?P<mark>[^\W\d]\w*)?"?\s*(?P<more>[,;\s].*)?)?$'
)


def cut_json(cut: Cut, sparsities: Mapping[str, float], granularity: str) -> str:
    """The cut of the whole net, and under "layers" the sparsity of every row and where it comes from.

    sparsities: row name -> pruned share under this cut, in the network's order.
    """
    head = {"granularity": granularity, "sparsity": cut.sparsity, **cut.rule}
    lines = [f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in head.items()]
    rows = [{"layer": name, "sparsity": value, "cut": mark} for name, value, mark in _rows(cut, sparsities)]
    listed = ",\n".join(f"    {json.dumps(row)}" for row in rows)
    return "{\n" + ",\n".join([*lines, f'  "layers": [\n{listed}\n  ]']) + "\n}\n"


def cut_csv(cut: Cut, sparsities: Mapping[str, float]) -> str:
    """One line for every row, after one for the whole net and its bounds: name, sparsity, and where it comes from."""
    lines = ["layer,sparsity,cut", f"{NET},{cut.sparsity!r},{cut.scope}"]
    lines += [f"{name},{value}" for name, value in cut.rule.items() if name in BOUNDS and value != getattr(Cut, name)]
    return "\n".join([*lines, *(f"{name},{value!r},{mark}" for name, value, mark in _rows(cut, sparsities))]) + "\n"


def read_cut(text: str, names: Sequence[str], granularity: str, present: Cut) -> Cut:
    """The cut that a text means, in JSON (see `cut_json`, or the fields of a recipe) or in lines of name and sparsity.

    Order, white space, a header, `;` or tabs for commas, decimal commas and percentages are all fine. Rows that are
    not named follow the cut of the whole net; where the text says nothing of that, its sparsity, scope and bounds are
    those of `present`. Raises BadSetting, in one sentence, for what does not fit rows called `names`.
    """
    text = text.strip().removeprefix("\ufeff")
    if len(text) > LONGEST:
        raise BadSetting(_("This text is too long for the cuts of one model."))
    found = _from_json(text, granularity) if text[:1] in ("{", "[") else _from_lines(text, names)
    if found is None:
        raise BadSetting(_("There is nothing to apply: paste JSON, or lines of a layer and its sparsity."))
    _check_names([*found.overrides, *found.locked, *found.followers], names, granularity)
    check_fits({granularity}, found.net.get("scope", present.scope), round_to=found.net.get("round_to", 1))
    return dataclasses.replace(present, **found.net, overrides=found.overrides, locked=frozenset(found.locked))


@dataclass
class _Found:
    """What a text says, entry by entry."""

    net: dict = field(default_factory=dict)  # what is said of the whole net: fields of a Cut
    overrides: dict[str, float] = field(default_factory=dict)
    locked: set[str] = field(default_factory=set)
    followers: set[str] = field(default_factory=set)

    def take_net(self, sparsity, scope, bounds: Mapping | None = None) -> None:
        if sparsity is not None:
            self.net["sparsity"] = _fraction(sparsity, _("Sparsity"))
        if scope is not None:
            if not (isinstance(scope, str) and scope in SCOPES):
                sentence = _("Scope must be one of {choices}, not “{given}”.")
                raise BadSetting(sentence.format(choices=", ".join(SCOPES), given=_short(scope)))
            self.net["scope"] = scope
        self.net |= {name: checked(_SETTINGS[name], value) for name, value in (bounds or {}).items()}

    def take_row(self, name: str, value, mark: str | None) -> None:
        """One row of a table; `mark` is None where the table has no such column."""
        if name in self.overrides or name in self.locked or name in self.followers:
            raise BadSetting(_("{layer} is there twice: once is enough.").format(layer=_short(name)))
        if mark not in (OWN, LOCKED, FOLLOWS, None):
            sentence = _("{layer} is marked as “{given}”; the marks are {choices}.")
            choices = ", ".join((OWN, LOCKED, FOLLOWS))
            raise BadSetting(sentence.format(layer=_short(name), given=_short(mark), choices=choices))
        if mark == LOCKED:
            self.locked.add(name)
        elif mark == FOLLOWS or value is None:
            self.followers.add(name)
        else:
            self.overrides[name] = _fraction(value, _of_row(name))


def _rows(cut: Cut, sparsities: Mapping[str, float]):
    for name, share in sparsities.items():
        if name in cut.locked:
            yield name, 0.0, LOCKED
        elif name in cut.overrides:
            yield name, float(cut.overrides[name]), OWN
        else:
            yield name, round(float(share), 6), FOLLOWS


# -- JSON ---------------------------------------------------------------------------------------------------------


def _from_json(text: str, granularity: str) -> _Found | None:
    try:
        plain = json.loads(text)
    except RecursionError:
        raise BadSetting(_("This JSON is nested too deeply to be a cut.")) from None
    except ValueError as error:  # JSONDecodeError, or a number of thousands of digits
        line, column = getattr(error, "lineno", 1), getattr(error, "colno", 1)
        sentence = _("This is no complete JSON: it breaks off or goes wrong in line {line}, column {column}.")
        raise BadSetting(sentence.format(line=line, column=column)) from None
    if isinstance(plain, list):
        plain = {"layers": plain}
    given = plain.pop("granularity", granularity)
    if given != granularity:
        raise _belongs_elsewhere(given, granularity)
    found = _Found()
    bounds = {name: plain.pop(name) for name in BOUNDS if name in plain}
    found.take_net(plain.pop("sparsity", None), plain.pop("scope", None), bounds)
    overrides, locked, layers = (plain.pop(name, None) for name in ("overrides", "locked", "layers"))
    if overrides is None and locked is None:
        # The shortest form is layers and their sparsities, nothing else.
        _take_layers(found, plain if layers is None else layers)
        return None if found == _Found() else found
    overrides, locked = overrides or {}, locked or []
    if not isinstance(overrides, dict):
        sentence = _("“overrides” must map layers to sparsities, like {example}.")
        raise BadSetting(sentence.format(example='{"conv1": 0.4}'))
    if not isinstance(locked, list) or not all(isinstance(name, str) for name in locked):
        raise BadSetting(_("“locked” must be a list of layers, like {example}.").format(example='["conv1"]'))
    found.overrides = {name: _fraction(value, _of_row(name)) for name, value in overrides.items()}
    found.locked = set(locked)
    _check_agreement(found, layers or [])
    return found


def _check_agreement(found: _Found, layers) -> None:
    """Nobody knows which of two places somebody has changed and meant."""
    listed = _Found()
    _take_layers(listed, layers)
    for name in [*listed.overrides, *listed.locked, *listed.followers]:
        if (name in listed.locked, listed.overrides.get(name)) != (name in found.locked, found.overrides.get(name)):
            sentence = _(
                "“layers” and “overrides” or “locked” disagree on {layer}: change both, or leave one of them out."
            )
            raise BadSetting(sentence.format(layer=_short(name)))


def _take_layers(found: _Found, layers) -> None:
    if isinstance(layers, dict):
        layers = [{"layer": name, "sparsity": value} for name, value in layers.items()]
    if not isinstance(layers, list) or not all(isinstance(row, dict) and "layer" in row for row in layers):
        sentence = _("“layers” must be a list of layers and their sparsities, like {example}.")
        raise BadSetting(sentence.format(example='[{"layer": "conv1", "sparsity": 0.4}]'))
    for row in layers:
        found.take_row(str(row["layer"]), row.get("sparsity"), row.get("cut"))


# -- lines --------------------------------------------------------------------------------------------------------


def _from_lines(text: str, names: Sequence[str]) -> _Found | None:
    found = _Found()
    # One blank at most in a row: many would make the pattern try all ways to share them out.
    lines = [" ".join(line.replace("\t", ";").split()) for line in text.splitlines()]
    lines = [(number, line) for number, line in enumerate(lines, 1) if line and not line.startswith("#")]
    if not lines:
        return None
    for i, (number, line) in enumerate(lines):
        cells = _LINE.match(line)
        name, value, mark = (cells["name"], cells["value"], cells["mark"]) if cells else (line, None, None)
        mark = mark.lower() if mark else None
        known = mark in (OWN, LOCKED, FOLLOWS, *SCOPES)
        if i == 0 and len(lines) > 1 and value is None and not known and name not in names:
            continue  # a header, in whatever language
        # An empty cell means that the layer follows; a word or two alone mean nothing.
        more = re.search(r"\w", cells["more"] or "") if cells else None
        if value is None and not known and (mark or more or not re.search("[,;]", line)):
            sentence = _("Line {number} is not a layer and its sparsity, like “conv1, 40 %”: “{line}”.")
            raise BadSetting(sentence.format(number=number, line=_short(line)))
        if name == NET:
            found.take_net(value, mark)
        elif name in BOUNDS and name not in names:
            found.take_net(None, None, {name: int(value) if value and value.isdecimal() else value})
        else:
            found.take_row(name, value, mark)
    return found


# -- numbers and names ----------------------------------------------------------------------------------------------


def _fraction(given, what: str) -> float:
    """A number in [0, 1], or a text that means one: "0.4", "0,4", "40 %"."""
    value = given
    if isinstance(given, str):
        text = given.strip()
        value = None
        if re.fullmatch(rf"{_NUMBER}\s*%?", text):
            value = float(text.rstrip("% \u00a0\u202f").replace(",", "."))
            if text.endswith("%"):
                value = round(value / 100, 12)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise BadSetting(
            _("{what} must be a number between 0 and 1, not “{value}”.").format(what=what, value=_short(given))
        )
    if not 0 <= value <= 1:
        sentence = _("{what} must be between 0 and 1, or between 0 % and 100 %, not {value}.")
        raise BadSetting(sentence.format(what=what, value=_short(str(given).strip())))
    return float(value)


def _of_row(name: str) -> str:
    return _("The sparsity of {name}").format(name=_short(name))


def _check_names(given: list[str], names: Sequence[str], granularity: str) -> None:
    unknown = [name for name in dict.fromkeys(given) if name not in names]
    if not unknown:
        return
    other = "channel" if granularity in ZEROED else "weight"
    if all(_in_other(name, other) in names for name in unknown):
        raise _belongs_elsewhere(other, granularity)
    raise BadSetting(
        _("There is no layer called {unknown} here; the layers are {known}.").format(
            unknown=_listed(unknown), known=_listed(names)
        )
    )


def _in_other(name: str, granularity: str) -> str:
    """What a row of `granularity` would be called in the other one: weights have the names of tensors."""
    return name.removesuffix(".weight") if granularity in ZEROED else f"{name}.weight"


def _belongs_elsewhere(given, granularity: str) -> BadSetting:
    if not isinstance(given, str) or given not in GRANULARITIES:
        sentence = _("Granularity must be one of {choices}, not “{given}”.")
        return BadSetting(sentence.format(choices=", ".join(GRANULARITIES), given=_short(given)))
    return BadSetting(
        _("These cuts belong to {theirs}, and the page is set to {ours}: switch the granularity first.").format(
            theirs=_(GRANULARITIES[given]), ours=_(GRANULARITIES[granularity])
        )
    )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(_short(name) for name in names[:SHOWN])
    return shown if len(names) <= SHOWN else f"{shown}, …"


def _short(given, most: int = 40) -> str:
    text = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False, default=str)
    return text if len(text) <= most else f"{text[: most - 1]}…"
