"""Prune: a recipe, run in the background, and the runs that are under way."""

import streamlit as st

from prunekit.core.errors import PrunekitError
from prunekit.core.language import _
from prunekit.ui import frame, runs, state
from prunekit.ui.panels.queue import runs_of_now
from prunekit.ui.panels.recipe_form import recipe_form

frame.ensure()
card = state.chosen_card()
left, right = st.columns([4, 9], gap="medium")


@st.fragment
def form(model: str) -> None:
    """The recipe and its Start button: the part that runs again when a field changes."""
    recipe = None
    try:
        recipe = recipe_form(model)
    except PrunekitError as error:
        st.error(str(error), icon=":material/error:")
    control = st.checkbox(
        _("Also run the random control"),
        value=True,
        key="form.control",
        persist_state="session",
        disabled=recipe is not None and recipe.scorer == "random",
        help=_("The same recipe with random scores: what a criterion is worth is its lead over that."),
    )
    pressed = st.button(
        _("Start"), type="primary", icon=":material/play_arrow:", width="stretch", key="start", disabled=recipe is None
    )
    if pressed and recipe is not None:
        st.session_state.pop("press_answer", None)
        with st.spinner(_("Handing it to the engine.")):
            runs.start(recipe, control)
        st.rerun()


with left:
    st.subheader(_("Recipe"), anchor=False)
    form(card.id)
with right:
    st.subheader(_("Runs"), anchor=False)
    runs_of_now(card.id)
