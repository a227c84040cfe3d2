"""The cut tables that visitors work on, one for all who ask the same."""

import streamlit as st

from prunekit.core.cut_table import CutTable


@st.cache_resource(show_spinner=False, max_entries=16)
def table_of(key: str, _plain: dict) -> CutTable:
    """The table of a question's answer; `key` is the question's. It remembers the ranking of its rows."""
    return CutTable.from_plain(_plain)
