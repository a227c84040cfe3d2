"""Prune: a recipe, run in the background, and the runs that are under way."""

import streamlit as st

from prunekit.core.errors import PrunekitError
from prunekit.core.language import _
from prunekit.ui import frame, prune_address, runs, state
from prunekit.ui.panels.no_data import what_works
from prunekit.ui.panels.queue import runs_of_now
from prunekit.ui.panels.recipe_form import recipe_form
from prunekit.ui.panels.sweep_form import mode_choice, sweep_form, what_it_takes
from prunekit.ui.plain import show_error

frame.ensure()
card = state.chosen_card()
prune_address.open_address(card.id)
if card.lack_of_data():
    what_works(card)
    st.stop()
left, right = st.columns([4, 9], gap="medium")


@st.fragment
def form(model: str) -> None:
    """The recipe, or the sweep around it, and the Start button: the part that runs again when a field changes."""
    if mode_choice() == "sweep":
        sweep_to_start(model)
    else:
        run_to_start(model)


def run_to_start(model: str) -> None:
    """One recipe, with or without its random control."""
    recipe = None
    try:
        recipe = recipe_form(model)
        prune_address.write_address(model, recipe)
    except PrunekitError as error:
        show_error(error)
    control = st.checkbox(
        _("Also run the random control"),
        value=True,
        key="form.control",
        persist_state="session",
        disabled=recipe is not None and recipe.scorer == "random",
        help=_("The same recipe with random scores: what a criterion is worth is its lead over that."),
    )
    if start_button(_("Start"), "start", recipe is not None):
        with st.spinner(_("Handing it to the engine.")):
            runs.start(recipe, control)
        st.rerun()


def sweep_to_start(model: str) -> None:
    """Many recipes at once."""
    sweep = None
    try:
        sweep = sweep_form(model)
        prune_address.write_address(model, sweep)
        what_it_takes(sweep)
    except PrunekitError as error:
        show_error(error)
    if start_button(_("Start the sweep"), "start_sweep", sweep is not None):
        with st.spinner(_("Handing it to the engine.")):
            runs.start_sweep(sweep)
        st.rerun()


def start_button(label: str, key: str, ready: bool) -> bool:
    """Whether it was pressed; what was said to the press before is forgotten then."""
    icon = ":material/play_arrow:"
    pressed = st.button(label, type="primary", icon=icon, width="stretch", key=key, disabled=not ready)
    if pressed:
        st.session_state.pop("press_answer", None)
    return pressed and ready


with left:
    st.subheader(_("Recipe"), anchor=False)
    form(card.id)
with right:
    st.subheader(_("Runs"), anchor=False)
    runs_of_now(card.id)
