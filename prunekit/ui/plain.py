"""Text that people typed, shown as they typed it where Streamlit would read Markdown."""

import re

import streamlit as st


def as_typed(text: str) -> str:
    """The text with every sign escaped that Markdown, LaTeX or Streamlit's `:colour[...]` would take for theirs."""
    return re.sub(r"([\\`*_{}\[\]()<>#+\-.!|~$:])", r"\\\1", text)


def show_error(sentence: str | Exception) -> None:
    """What went wrong, in red; names and paths in it stand as they are."""
    st.error(as_typed(str(sentence)), icon=":material/error:")
