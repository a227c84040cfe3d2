"""What the heads of cards share: buttons that ask the engine at once, and the badge of another model."""

import streamlit as st

from prunekit.core.cards import model_cards
from prunekit.core.language import _
from prunekit.ui.runs import tell


def action_button(action: str, about: str, label: str, icon: str, help: str) -> None:
    """A button that does something (a method of Engine) to the run or sweep whose id is `about`."""
    if st.button(label, key=f"{action}_{about}", icon=icon, help=help) and tell(action, about):
        st.rerun()


def other_model_badge(model: str) -> None:
    """Names the model of a card where it is not the one that the page is about."""
    if model != st.session_state.get("model"):
        card = model_cards().get(model)
        st.badge(_(card.title) if card else model, color="gray")
