"""The form of a recipe: what matters up front, the rest behind a lid, and in one sentence what it will do."""

import streamlit as st

from prunekit.core.amounts import percent
from prunekit.core.descriptions import scorer_descriptions
from prunekit.core.language import _
from prunekit.core.recipe import Recipe, Training
from prunekit.core.settings import Setting, settings_of
from prunekit.reports.recipes import UNITS, what_it_does
from prunekit.ui.forms import fill, setting_input

ROUNDS = 3  # what a visitor who switches to iterative finds, whatever a one-shot recipe had
NARROW = 122
UP_FRONT = ("epochs", "learning_rate")
SETTINGS: dict[str, Setting] = {s.name: s for s in (*settings_of(Recipe), *settings_of(Training))}


def recipe_form(model: str) -> Recipe:
    """Draws the form for a model, filled from the session's recipe, and keeps what it says there.

    Raises PrunekitError, after all fields are drawn, for what makes no sense together.
    """
    given = _given(model)
    if st.session_state.get("form.filled") != given.fingerprint:
        _fill(given)
    scorer, knobs = _criterion()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        granularity = _input("granularity")
        scope = _input("scope")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        target = _input("target")
        amount = _input("amount", width=NARROW)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        schedule = _input("schedule")
        rounds = _input("rounds", width=NARROW) if schedule == "iterative" else 1
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        training = {name: _input(name, width=NARROW) for name in UP_FRONT}
        seed = _input("seed", width=NARROW)
    with st.expander(_("More settings"), icon=":material/tune:"), st.container(horizontal=True):
        training |= {s.name: _input(s.name, width=170) for s in settings_of(Training) if s.name not in UP_FRONT}
        calibration = _input("calibration", width=170)
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
        calibration=calibration,
        seed=seed,
        **_own_cuts(given, granularity),
    )
    st.session_state["recipe"], st.session_state["form.filled"] = recipe, recipe.fingerprint
    _list_own_cuts(recipe)
    st.caption(what_it_does(recipe))
    return recipe


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


def _input(name: str, **options):
    return setting_input(SETTINGS[name], f"form.{name}", **options)


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
        knobs = {knob.name: setting_input(knob, f"form.{scorer}.{knob.name}") for knob in known[scorer].knobs}
    return scorer, knobs


def _own_cuts(given: Recipe, granularity: str) -> dict:
    """Own cuts and locks name weights or channels; those of one granularity mean nothing in the other."""
    if granularity == given.granularity or not (given.overrides or given.locked):
        return {}
    st.toast(
        _("The cuts of single layers were dropped: they belonged to {units}.").format(units=_(UNITS[given.granularity]))
    )
    return {"overrides": {}, "locked": ()}


def _list_own_cuts(recipe: Recipe) -> None:
    if not (recipe.overrides or recipe.locked):
        return
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"**{_('Layers with a cut of their own')}**")
        with st.container(horizontal=True, gap="xsmall"):
            for name, sparsity in recipe.overrides.items():
                if name not in recipe.locked:
                    st.badge(f"{name}: {percent(sparsity)}", icon=":material/content_cut:", color="orange")
            for name in recipe.locked:
                st.badge(name, icon=":material/lock:", color="gray", help=_("Stays whole."))
        st.button(_("Clear them"), icon=":material/close:", on_click=_clear_own_cuts, type="tertiary")


def _clear_own_cuts() -> None:
    st.session_state["recipe"] = st.session_state["recipe"].with_(overrides={}, locked=())
