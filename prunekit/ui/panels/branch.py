"""Branch from here: the recipe of a run, opened in the form of the Prune page."""

import streamlit as st

from prunekit.core.cards import model_card
from prunekit.core.errors import PrunekitError
from prunekit.core.language import _
from prunekit.core.recipe import Recipe
from prunekit.experiments.runs import Run
from prunekit.ui import frame, state
from prunekit.ui.plain import show_error


def branch_button(run: Run) -> None:
    """The button, and under it one sentence where the recipe is of a model or a version that is gone."""
    help = _("Opens the recipe of this run in Prune, to change it and run it again.")
    label, key = _("Branch from here"), f"branch_{run.id}"
    if not st.button(label, key=key, icon=":material/call_split:", help=help, on_click=_take, args=(run,)):
        return
    if refusal := st.session_state.pop("branch.refusal", ""):
        show_error(refusal)
    else:
        st.switch_page(frame.page("prune"), query_params={"model": run.recipe["model"]})


def _take(run: Run) -> None:
    """Callback, for only one may set the fields of a form that may be on the page already."""
    try:
        recipe = Recipe.from_plain(run.recipe)
        model_card(recipe.model)
    except PrunekitError as error:
        sentence = _("The recipe of this run cannot be opened here any more. {reason}")
        st.session_state["branch.refusal"] = sentence.format(reason=error)
        return
    state.hand_on(recipe)
