"""The address of the Compare page: read when a session begins there, written when another chart is chosen."""

import streamlit as st

from prunekit.reports.axes import AXES
from prunekit.reports.figures import SPLITS
from prunekit.ui import address

# The parameter and the key of the widget that it is of; which values it may have, None: the widget looks itself.
_CHOICES = {"axis": ("axis", AXES), "split": ("split", SPLITS), "runs": ("compared_sweep", None)}


def open_address() -> None:
    """Sets the choices above the chart, before they are drawn, to what the address says; once in a session."""
    given = address.given_once("compare") or {}
    for name, (key, known) in _CHOICES.items():
        value = given.get(name)
        if value and (known is None or value in known):
            st.session_state.setdefault(key, value)


def write_address(model: str) -> None:
    """Puts the choices into the address; the first of each is left out."""
    now = {"model": model}
    for name, (key, known) in _CHOICES.items():
        value = st.session_state.get(key)
        if value and value != next(iter(known or ("",))):
            now[name] = value
    address.put(now)
