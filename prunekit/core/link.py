"""What a visitor looks at on Explore, as a few short parameters of its address, and back."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from prunekit.core.cuts import BOUNDS, GRANULARITIES, RULE, Cut, check_fits, check_fraction
from prunekit.core.descriptions import fitting_scorers, scorer_descriptions
from prunekit.core.errors import BadSetting, PrunekitError
from prunekit.core.fingerprint import fingerprint
from prunekit.core.language import N_, _
from prunekit.core.recipe import Recipe
from prunekit.core.settings import Setting, checked, settings_of

VIEWS = {"importance": N_("importance"), "weights": N_("weights")}
FIRST_SPARSITY = 0.3
LONGEST = 8000  # characters of one parameter; 55 own cuts take 400
KNOB = "knob_"
SIDE = "a"  # there is a cut that was set aside; its own parameters have this and an underscore before their names
NAMES = ("criterion", "granularity", *RULE, "view", "cut", "own", "focus", SIDE)
_SETTINGS = {s.name: s for s in settings_of(Recipe)}
_NUMBER = re.compile(r"(?:\d{1,20}(?:\.\d{0,20})?|\.\d{1,20})(?:e-?\d{1,3})?", re.ASCII)
_ROW = re.compile(r"(?:(?P<index>\d{1,5})-)?(?P<value>\.\d{1,12}|\d{1,12})?(?P<locked>L)?", re.ASCII)


@dataclass(frozen=True)
class Place:
    """The controls of Explore and the cut of the whole net. What is at its default is left out of the address."""

    scorer: str = ""
    knobs: Mapping = field(default_factory=dict)
    granularity: str = _SETTINGS["granularity"].default
    scope: str = _SETTINGS["scope"].default
    view: str = "importance"
    sparsity: float = FIRST_SPARSITY
    round_to: int = _SETTINGS["round_to"].default
    floor: int = _SETTINGS["floor"].default

    def __post_init__(self):
        if not self.scorer:
            object.__setattr__(self, "scorer", first_scorer(self.granularity))

    @property
    def rule(self) -> dict:
        """Those of the fields that a cut has, but for its sparsity (see `core.cuts.RULE`)."""
        return {name: getattr(self, name) for name in RULE}


def first_scorer(granularity: str) -> str:
    """The criterion that Explore begins with."""
    return next(iter(fitting_scorers(granularity)))


def parameters(place: Place, own: str = "", focus: str = "") -> dict[str, str]:
    """The parameters of an address; `own` is what `own_cuts` wrote, `focus` a row unless it is the first one."""
    usual = Place(granularity=place.granularity)
    found = {"criterion": place.scorer if place.scorer != usual.scorer else ""}
    for knob in scorer_descriptions()[place.scorer].knobs:
        value = place.knobs.get(knob.name, knob.default)
        found[KNOB + knob.name] = _text(value) if value != knob.default else ""
    found["granularity"] = place.granularity if place.granularity != Place.granularity else ""
    found |= {name: str(value) if value != getattr(Place, name) else "" for name, value in place.rule.items()}
    found["view"] = place.view if place.view != Place.view else ""
    found["cut"] = _text(place.sparsity) if _text(place.sparsity) != _text(FIRST_SPARSITY) else ""
    return {name: value for name, value in (found | {"own": own, "focus": focus}).items() if value}


def side_parameters(place: Place, own: str = "") -> dict[str, str]:
    """The parameters of a cut that was set aside as A; its view and focus are those of the page."""
    return {SIDE: "1"} | {f"{SIDE}_{name}": value for name, value in parameters(place, own).items()}


def read_side(given: Mapping[str, str]) -> tuple[Place, str] | None:
    """The place of the cut that was set aside, and its own cuts as `own_cuts` wrote them; None without one.

    What makes no sense is as in `read_place`, without a word: A is what it is beside, not what the link is for.
    """
    if SIDE not in given:
        return None
    mine = {name.removeprefix(f"{SIDE}_"): value for name, value in given.items() if name.startswith(f"{SIDE}_")}
    return read_place(mine)[0], mine.get("own", "")


def concerns_explore(given: Mapping[str, str]) -> bool:
    """Whether an address says anything of Explore at all."""
    return any(name in NAMES or name.startswith(KNOB) for name in given)


def read_place(given: Mapping[str, str]) -> tuple[Place, list[str]]:
    """The place that an address means, with the default for whatever makes no sense, and a sentence for each such."""
    faults = []
    found = {}
    for name in ("granularity", "scope"):
        found[name] = _choice(name, given, _SETTINGS[name].choices, _(_SETTINGS[name].label), faults)
    found |= {name: _value(_SETTINGS[name], given.get(name), faults) for name in BOUNDS}
    found["view"] = _choice("view", given, tuple(VIEWS), _("View"), faults)
    granularity = found["granularity"] or Place.granularity
    for name in ("scope", "round_to"):
        try:
            check_fits({granularity}, **{"scope": Place.scope, name: found[name] or Place.scope})
        except BadSetting as error:
            faults.append(str(error))
            found[name] = ""
    scorer = given.get("criterion", "")
    known = scorer_descriptions()
    if scorer and scorer not in known:
        faults.append(
            _("There is no criterion called “{name}”; the link is shown with {other}.").format(
                name=_short(scorer), other=_(known[first_scorer(granularity)].label)
            )
        )
        scorer = ""
    if scorer and granularity not in known[scorer].granularities:
        sentence = _("The criterion {scorer} knows nothing of {units}; the link is shown with {other}.")
        other = _(known[first_scorer(granularity)].label)
        faults.append(sentence.format(scorer=_(known[scorer].label), units=_(GRANULARITIES[granularity]), other=other))
        scorer = ""
    place = Place(
        scorer,
        _knobs(scorer or first_scorer(granularity), given, faults),
        **{name: value for name, value in found.items() if value},
        sparsity=_sparsity(given.get("cut", ""), faults),
    )
    return place, faults


# -- cuts of single rows --------------------------------------------------------------------------------------------


def own_cuts(cut: Cut, names: Sequence[str], units: Sequence[int]) -> str:
    """The own cuts and locks of a cut in few characters, "" without any: `3fa2_4_12-37_.125L`.

    First comes a mark of the rows, so that no other model takes them for its own. Then, for each row with a cut or a
    lock of its own: `index-` unless it follows the one before, the number of pruned units (or the fraction, with a
    point, where that is no whole number of units), and L where it is locked.
    """
    entries, last = [], -1
    for i, (name, total) in enumerate(zip(names, units, strict=True)):
        if cut.is_free(name):
            continue
        where = "" if i == last + 1 else f"{i}-"
        value = _row_value(cut.overrides[name], int(total)) if name in cut.overrides else ""
        entries.append(f"{where}{value}{'L' if name in cut.locked else ''}")
        last = i
    return "_".join([_mark(names, units), *entries]) if entries else ""


def read_own_cuts(text: str, names: Sequence[str], units: Sequence[int]) -> tuple[dict[str, float], frozenset[str]]:
    """The own cuts and the locks that `own_cuts` wrote for these rows. Raises BadSetting for anything else."""
    mark, *entries = text.split("_")
    broken = BadSetting(_("The cuts of single layers in this link are damaged; they were left out."))
    if len(text) > LONGEST or not entries or len(entries) > len(names):
        raise broken
    if mark != _mark(names, units):
        sentence = _("The cuts of single layers in this link belong to another model or version; they were left out.")
        raise BadSetting(sentence)
    overrides, locked, i = {}, set(), -1
    for entry in entries:
        found = _ROW.fullmatch(entry)
        if not entry or not found:
            raise broken
        before, i = i, int(found["index"]) if found["index"] else i + 1
        if not before < i < len(names):
            raise broken
        if found["value"]:
            total = int(units[i])
            share = float(found["value"]) if "." in found["value"] else int(found["value"]) / max(total, 1)
            if not 0 <= share <= 1:
                raise broken
            overrides[names[i]] = share
        if found["locked"]:
            locked.add(names[i])
    return overrides, frozenset(locked)


def read_focus(name: str, names: Sequence[str]) -> str:
    """The row in focus, "" for none. Raises BadSetting for one that is not there."""
    if name and name not in names:
        raise BadSetting(_("There is no layer called “{name}” here.").format(name=_short(name)))
    return name


def _mark(names: Sequence[str], units: Sequence[int]) -> str:
    return fingerprint([list(names), [int(n) for n in units]], 4)


def _row_value(fraction: float, total: int) -> str:
    count, text = round(fraction * total), f"{fraction:.12f}".strip("0")
    return str(count) if not total or count / total == fraction or text in (".", "1.") else text


# -- values ---------------------------------------------------------------------------------------------------------


def _text(value) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _choice(name: str, given: Mapping[str, str], choices: tuple, label: str, faults: list[str]) -> str:
    value = given.get(name, "")
    if value and value not in choices:
        sentence = _("{label} in this link must be one of {choices}, not “{given}”.")
        faults.append(sentence.format(label=label, choices=", ".join(choices), given=_short(value)))
        return ""
    return value


def _knobs(scorer: str, given: Mapping[str, str], faults: list[str]) -> dict:
    known = scorer_descriptions()[scorer]
    return known.told({knob.name: _value(knob, given.get(KNOB + knob.name), faults) for knob in known.knobs})


def _value(setting: Setting, text: str | None, faults: list[str]):
    """A parameter's value, or the default where there is none or where it makes no sense."""
    if text is None:
        return setting.default
    try:
        return checked(setting, typed(setting, text))
    except PrunekitError as error:
        faults.append(str(error))
        return setting.default


def typed(knob: Setting, text: str):
    """A parameter as the value of a setting; what cannot be one stays text, for `checked` to refuse."""
    if len(text) > 40:
        return _short(text)
    if knob.kind is bool:
        return {"True": True, "False": False}.get(text, text)
    if knob.kind in (int, float) and re.fullmatch(r"-?[\d.]+(?:e-?\d+)?", text):
        try:
            return knob.kind(text)
        except ValueError:
            return text
    return text


def _sparsity(text: str, faults: list[str]) -> float:
    if not text:
        return FIRST_SPARSITY
    if _NUMBER.fullmatch(text):
        try:
            check_fraction(float(text), _("Sparsity"))
            return float(text)
        except BadSetting:
            pass
    faults.append(_("The cut in this link must be a number between 0 and 1, not “{given}”.").format(given=_short(text)))
    return FIRST_SPARSITY


def _short(text: str, most: int = 40) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
