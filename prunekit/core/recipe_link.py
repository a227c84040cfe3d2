"""A recipe or a sweep as a few readable parameters of an address, and back; what is at its default is left out."""

from collections.abc import Mapping
from urllib.parse import unquote

from prunekit.core.descriptions import scorer_description, scorer_descriptions
from prunekit.core.errors import BadSetting
from prunekit.core.language import _
from prunekit.core.link import KNOB, LONGEST, typed
from prunekit.core.recipe import Recipe, Training
from prunekit.core.settings import Setting, settings_of
from prunekit.core.sweep import AXES, Sweep

_RECIPE, _TRAINING = ({s.name: s for s in settings_of(cls)} for cls in (Recipe, Training))


def recipe_parameters(recipe: Recipe) -> dict[str, str]:
    """The parameters of an address: `scorer=random&amount=0.3&own=conv2:0.25,conv3:0.1&locked=conv1`."""
    knobs = {knob.name: knob for knob in scorer_descriptions()[recipe.scorer].knobs}
    found = _changed(_RECIPE, vars(recipe)) | _changed(_TRAINING, vars(recipe.training))
    found |= {KNOB + name: value for name, value in _changed(knobs, recipe.knobs).items()}
    if recipe.schedule == "one-shot":
        found.pop("rounds", None)
    if recipe.overrides:
        found["own"] = ",".join(f"{_quoted(name)}:{share}" for name, share in recipe.overrides.items())
    if recipe.locked:
        found["locked"] = ",".join(map(_quoted, recipe.locked))
    return found


def read_recipe(model: str, given: Mapping[str, str]) -> Recipe | None:
    """The recipe for a model that an address means; None where it says nothing of one.

    Parameters of other names are passed over. Raises PrunekitError, in one sentence, for values that make no sense.
    """
    plain = {name: typed(_RECIPE[name], text) for name, text in given.items() if name in _RECIPE}
    if training := {name: typed(_TRAINING[name], text) for name, text in given.items() if name in _TRAINING}:
        plain["training"] = training
    knobs = scorer_description(plain.get("scorer", Recipe.scorer)).knobs
    if own := {knob.name: typed(knob, given[KNOB + knob.name]) for knob in knobs if KNOB + knob.name in given}:
        plain["knobs"] = own
    if overrides := given.get("own"):
        plain["overrides"] = _shares(overrides)
    if locked := given.get("locked"):
        plain["locked"] = [unquote(name) for name in _list(locked)]
    return Recipe.from_plain(plain | {"model": model}) if plain else None


def sweep_parameters(sweep: Sweep) -> dict[str, str]:
    """Those of its base, and its axes: `scorers=taylor,random&amounts=0.3,0.5&granularities=channel&seeds=0,1,2`."""
    axes = {axis: ",".join(map(str, getattr(sweep, axis))) for axis in AXES}
    return recipe_parameters(sweep.base) | axes | ({} if sweep.controls else {"controls": "False"})


def read_sweep(model: str, given: Mapping[str, str]) -> Sweep | None:
    """The sweep over a model that an address means; None where it names no axis of one.

    An axis that is not named has the one value of the base. Raises PrunekitError as `read_recipe` does.
    """
    named = {axis: _list(given[axis]) for axis in AXES if given.get(axis)}
    if not named:
        return None
    base = read_recipe(model, given) or Recipe(model)
    axes = {axis: (getattr(base, name),) for axis, name in AXES.items()}
    axes |= {axis: tuple(typed(_RECIPE[AXES[axis]], text) for text in texts) for axis, texts in named.items()}
    controls = given.get("controls", "True")
    if controls not in ("True", "False"):
        raise BadSetting(_("The controls of a sweep are True or False."))
    return Sweep(base, **axes, controls=controls == "True")


def _changed(settings: Mapping[str, Setting], values: Mapping) -> dict[str, str]:
    """Those that are not at their default; numbers with all their digits, so that the recipe is the very same."""
    given = {name: values.get(name, setting.default) for name, setting in settings.items()}
    return {name: str(value) for name, value in given.items() if value != settings[name].default}


def _shares(text: str) -> dict[str, float]:
    """Cuts of single layers: `conv2:0.25,conv3:0.1`."""
    found = {}
    for entry in _list(text):
        name, _colon, share = entry.rpartition(":")
        try:
            value = float(share)
        except ValueError:
            value = None
        if value is None or not name or unquote(name) in found:
            raise BadSetting(_("The cuts of single layers in this link are damaged."))
        found[unquote(name)] = value
    return found


def _quoted(name: str) -> str:
    """A name in which no comma can be taken for the end of it."""
    return name.replace("%", "%25").replace(",", "%2C")


def _list(text: str) -> list[str]:
    if len(text) > LONGEST:
        raise BadSetting(_("This link is too long."))
    if "" in (entries := text.split(",")):
        raise BadSetting(_("This link is damaged: there is nothing between two commas, or after one."))
    return entries
