"""The address of the Prune page: read when a session begins there, written when the form says something else."""

import streamlit as st

from prunekit.core.errors import BadSetting, PrunekitError
from prunekit.core.language import _
from prunekit.core.recipe import Recipe
from prunekit.core.recipe_link import read_recipe, read_sweep, recipe_parameters, sweep_parameters
from prunekit.core.sweep import Sweep
from prunekit.ui import address, state
from prunekit.ui.panels.recipe_form import MOST_SEEDS
from prunekit.ui.plain import as_typed


def open_address(model: str) -> None:
    """Leaves for the form what the address says, or says what is wrong with it.

    Once in a session; what another page has handed on goes first.
    """
    session = st.session_state
    given = address.given_once("prune")
    if given is None or "recipe" in session or session.get("asked_in_vain"):
        return
    try:
        sweep = read_sweep(model, given)
        recipe = sweep.base if sweep else read_recipe(model, given)
        if sweep and sweep.seeds != tuple(range(min(len(sweep.seeds), MOST_SEEDS))):
            raise BadSetting(_("The form runs the seeds 0, 1, 2 and so on, {most} at most.").format(most=MOST_SEEDS))
    except PrunekitError as error:
        sentence = _("The recipe in this link cannot be used: {why} The form shows another one.")
        st.warning(as_typed(sentence.format(why=error)), icon=":material/link_off:")
        session["recipe_refused"] = True
        return
    if recipe:
        state.hand_on(recipe, sweep)


def write_address(model: str, planned: Recipe | Sweep) -> None:
    """Puts what the form says into the address; over one that was refused, as soon as the form says something else."""
    session = st.session_state
    if session.get("recipe_refused"):
        if session.setdefault("recipe_instead", planned) == planned:
            return
        del session["recipe_refused"]
    parameters = sweep_parameters(planned) if isinstance(planned, Sweep) else recipe_parameters(planned)
    address.put({"model": model} | parameters)
