"""Text that people typed, shown as they typed it where Streamlit would read Markdown."""

import re


def as_typed(text: str) -> str:
    """The text with every sign escaped that Markdown, LaTeX or Streamlit's `:colour[...]` would take for theirs."""
    return re.sub(r"([\\`*_{}\[\]()<>#+\-.!|~$:])", r"\\\1", text)
