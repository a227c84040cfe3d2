"""The address of the Compare page: read when a session begins there, written when another chart is chosen."""

import streamlit as st

from prunekit.reports.axes import AXES
from prunekit.reports.figures import SPLITS
from prunekit.ui import address

# The parameter: the key of the widget that it is of, and what that has at first. From a value that is not there the
# widget goes back to it by itself.
_CHOICES = {
    "axis": ("axis", next(iter(AXES))),
    "split": ("split", next(iter(SPLITS))),
    "runs": ("compared_sweep", ""),
}


def open_address() -> None:
    """Sets the choices above the chart, before they are drawn, to what the address says; once in a session."""
    given = address.given_once("compare") or {}
    for name, (key, _first) in _CHOICES.items():
        if value := given.get(name):
            st.session_state.setdefault(key, value)


def write_address(model: str) -> None:
    """Puts the choices into the address; what they are at first is left out."""
    now = {"model": model}
    for name, (key, first) in _CHOICES.items():
        if (value := st.session_state.get(key, first)) != first:
            now[name] = value
    address.put(now)
