"""The address of the Sensitivity page: its criterion and granularity, written as Explore writes them."""

import streamlit as st

from prunekit.core.link import Place, concerns_explore, parameters, read_place
from prunekit.ui import address, state
from prunekit.ui.plain import as_typed
from prunekit.ui.state import Question


def open_address() -> None:
    """Sets the controls, before they are drawn, to what the address says; once in a session."""
    given = address.given_once("sensitivity")
    if given is None or not concerns_explore(given):
        return
    place, faults = read_place(given)
    state.set_controls(place.scorer, place.knobs, place.granularity, place.rule)
    if faults:
        st.warning(as_typed(" ".join(faults)), icon=":material/link_off:")


def write_address(question: Question) -> None:
    """Puts what is asked into the address."""
    place = Place(question.scorer, question.knobs, question.granularity)
    address.put({"model": question.model} | parameters(place))
