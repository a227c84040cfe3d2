"""The address of the Sensitivity page: its criterion and granularity, written as Explore writes them."""

import streamlit as st

from prunekit.core.link import Place, parameters
from prunekit.ui import address
from prunekit.ui.plain import as_typed
from prunekit.ui.state import Question


def open_address() -> None:
    """Sets the controls, before they are drawn, to what the address says; once in a session."""
    opened = address.open_controls("sensitivity")
    if opened and (faults := opened[2]):
        st.warning(as_typed(" ".join(faults)), icon=":material/link_off:")


def write_address(question: Question) -> None:
    """Puts what is asked into the address."""
    place = Place(question.scorer, question.knobs, question.granularity)
    address.put({"model": question.model} | parameters(place))
