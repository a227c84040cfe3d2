"""The address of the Compare page: read when a session begins there, written when another chart is chosen."""

import streamlit as st

from prunekit.reports.axes import AXES
from prunekit.reports.figures import SPLITS

# The parameter and the key of the widget that it is of; which values it may have, None: the widget looks itself.
_CHOICES = {"axis": ("axis", AXES), "split": ("split", SPLITS), "runs": ("compared_sweep", None)}


def open_address() -> None:
    """Sets the choices above the chart, before they are drawn, to what the address says; once in a session."""
    session = st.session_state
    if session.get("comparison_read"):
        return
    session["comparison_read"] = True
    for name, (key, known) in _CHOICES.items():
        value = st.query_params.get(name)
        if value and (known is None or value in known):
            session.setdefault(key, value)


def write_address(model: str) -> None:
    """Puts the choices into the address; the first of each is left out."""
    now = {"model": model}
    for name, (key, known) in _CHOICES.items():
        value = st.session_state.get(key)
        if value and value != next(iter(known or ("",))):
            now[name] = value
    if st.query_params.to_dict() != now:
        st.query_params.from_dict(now)
