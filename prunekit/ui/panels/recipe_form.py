"""The form of a recipe: what matters up front, the rest behind a lid, and in one sentence what it will do."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import streamlit as st

from prunekit.core.amounts import percent
from prunekit.core.cuts import GRANULARITIES, scopes_of
from prunekit.core.descriptions import scorer_descriptions
from prunekit.core.language import _
from prunekit.core.recipe import Recipe, Training
from prunekit.core.settings import Setting, settings_of
from prunekit.reports.recipes import what_it_does
from prunekit.ui.forms import among, fill, setting_input

ROUNDS = 3  # what a visitor who switches to iterative finds, whatever a one-shot recipe had
MOST_SEEDS = 20
NARROW, HALF = 122, 170  # pixels
UP_FRONT = ("epochs", "learning_rate")
SETTINGS: dict[str, Setting] = {s.name: s for s in (*settings_of(Recipe), *settings_of(Training))}


def recipe_form(model: str) -> Recipe:
    """Draws the form for a model, filled from the session's recipe, and keeps what it says there.

    Raises PrunekitError, after all fields are drawn, for what makes no sense together.
    """
    given = given_recipe(model)
    scorer, knobs = _criterion()
    with line():
        granularity = field("granularity")
        scope = scope_field({granularity})
    with line():
        target = field("target")
        amount = field("amount", width=NARROW)
        if abs(amount - given.amount) < 6e-7:  # the field shows it rounded
            amount = given.amount
    schedule, rounds = schedule_fields()
    with line():
        training = {name: field(name, width=NARROW) for name in UP_FRONT}
        seed = field("seed", width=NARROW)
    coupling = scorer_descriptions()[scorer].coupling if granularity == "channel" else ()
    more, others = more_fields(granularity == "channel", {f"form.{scorer}.{knob.name}": knob for knob in coupling})
    knobs |= {knob.name: others.pop(knob.name) for knob in coupling}
    training |= more
    recipe = given.with_(
        scorer=scorer,
        knobs=knobs,
        granularity=granularity,
        scope=scope,
        target=target,
        amount=amount,
        schedule=schedule,
        rounds=rounds,
        training=Training(**training),
        seed=seed,
        **others,
        **_own_cuts(given, granularity),
    )
    keep(recipe)
    list_own_cuts(recipe)
    st.caption(what_it_does(recipe))
    return recipe


def line():
    """A row of fields."""
    return st.container(horizontal=True, vertical_alignment="bottom", gap="small")


def field(name: str, **options):
    """One setting of a recipe or of its training, by name."""
    return setting_input(SETTINGS[name], f"form.{name}", **options)


def scope_field(granularities: Iterable[str]) -> str:
    """The scopes that make sense for these."""
    return setting_input(among(SETTINGS["scope"], scopes_of(granularities)), "form.scope", width="content")


def schedule_fields() -> tuple[str, int]:
    """The schedule, and its rounds where it has some."""
    with line():
        schedule = field("schedule")
        return schedule, field("rounds", width=NARROW) if schedule != "one-shot" else 1


def more_fields(channels: bool, coupling: Mapping[str, Setting] = MappingProxyType({})) -> tuple[dict, dict]:
    """Behind a lid: the rest of the training's settings, and of the recipe's.

    channels: whether any are cut; coupling: of the criterion, by their keys in the session, settings that are asked for
    too.
    """
    with st.expander(_("More settings"), icon=":material/tune:"), st.container(horizontal=True):
        more = [s for s in settings_of(Training) if s.name not in UP_FRONT]
        training = {}
        for s in more:
            needless = s.name == "temperature" and not training["distillation"]
            training[s.name] = field(s.name, width="content" if s.choices else HALF, disabled=needless)
        others = {"calibration": field("calibration", width=HALF)}
        rounded = field("round_to", width=HALF, disabled=not channels)
        others["round_to"] = rounded if channels else 1
        others["floor"] = field("floor", width=HALF)
        return training, others | {knob.name: setting_input(knob, key, width=HALF) for key, knob in coupling.items()}


def given_recipe(model: str) -> Recipe:
    """The session's recipe for a model; the fields are filled with it when another page has left it there."""
    given, before = _given(model), st.session_state.get("recipe")
    filled = st.session_state.get("form.filled")
    if filled != given:
        _fill(given)
        # Another model alone is no reason to forget which sweep was wanted.
        if not (isinstance(before, Recipe) and filled == before):
            _fill_sweep(given)
    return given


def keep(recipe: Recipe) -> None:
    """Keeps what the form says as the session's recipe."""
    st.session_state["recipe"], st.session_state["form.filled"] = recipe, recipe


def _given(model: str) -> Recipe:
    """The session's recipe, brought over to the model on the page."""
    recipe = st.session_state.get("recipe")
    if not isinstance(recipe, Recipe):
        return Recipe(model)
    return recipe if recipe.model == model else recipe.with_(model=model, data="", overrides={}, locked=())


def _fill(recipe: Recipe) -> None:
    for name, setting in SETTINGS.items():
        if name == "rounds" and recipe.schedule == "one-shot":
            value = ROUNDS
        else:
            value = getattr(recipe, name) if hasattr(recipe, name) else getattr(recipe.training, name)
        fill(setting, f"form.{name}", value)
    for knob in scorer_descriptions()[recipe.scorer].knobs if recipe.scorer in scorer_descriptions() else ():
        fill(knob, f"form.{recipe.scorer}.{knob.name}", recipe.knobs.get(knob.name, knob.default))


def _fill_sweep(recipe: Recipe) -> None:
    """A sweep begins around the same recipe, or as the one that was left with it."""
    session = st.session_state
    if sweep := session.pop("sweep", None):
        scorers, granularities, amounts = sweep.scorers, sweep.granularities, sweep.amounts
        session["sweep.seeds"], session["sweep.controls"] = min(len(sweep.seeds), MOST_SEEDS), sweep.controls
    else:
        scorers, granularities = [recipe.scorer], [recipe.granularity]
        amounts = sorted({0.3, 0.5, 0.7} | ({recipe.amount} if 0 < recipe.amount < 1 else set()))
    session["sweep.scorers"], session["sweep.granularities"] = list(scorers), list(granularities)
    session["sweep.amounts"] = ", ".join(f"{100 * amount:.10g}" for amount in amounts)


def _criterion() -> tuple[str, dict]:
    """The criterion and its knobs."""
    known = scorer_descriptions()
    if st.session_state["form.scorer"] not in known:
        st.session_state["form.scorer"] = next(iter(known))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        scorer = st.selectbox(
            _(SETTINGS["scorer"].label),
            list(known),
            format_func=lambda name: _(known[name].label),
            key="form.scorer",
            # Of what is chosen now: the menu itself has only the names.
            help=_(known[st.session_state["form.scorer"]].help),
            persist_state="session",
            width=220,
        )
        granularity = st.session_state["form.granularity"]
        own = known[scorer].own_knobs(granularity)
        knobs = {knob.name: setting_input(knob, f"form.{scorer}.{knob.name}") for knob in own}
    return scorer, knobs


def _own_cuts(given: Recipe, granularity: str) -> dict:
    """Own cuts and locks name weights or channels; those of one granularity mean nothing in the other."""
    if granularity == given.granularity or not (given.overrides or given.locked):
        return {}
    st.toast(
        _("The cuts of single layers were dropped: they belonged to {units}.").format(
            units=_(GRANULARITIES[given.granularity])
        )
    )
    return {"overrides": {}, "locked": ()}


def list_own_cuts(recipe: Recipe) -> None:
    """Names the layers that have a cut of their own or stay whole, with a way to clear them."""
    if not (recipe.overrides or recipe.locked):
        return
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{_('Layers with a cut of their own')}**", width="content")
            st.space("stretch")
            st.button(_("Clear them"), icon=":material/close:", on_click=_clear_own_cuts, type="tertiary")
        with st.container(horizontal=True, gap="xsmall"):
            for name, sparsity in recipe.overrides.items():
                if name not in recipe.locked:
                    st.badge(f"{name}: {percent(sparsity)}", icon=":material/content_cut:", color="orange")
            for name in recipe.locked:
                st.badge(name, icon=":material/lock:", color="gray", help=_("Stays whole."))


def _clear_own_cuts() -> None:
    st.session_state["recipe"] = st.session_state["recipe"].with_(overrides={}, locked=())
