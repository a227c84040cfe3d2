"""“What do you need?”: a goal and a number become a first recipe."""

import streamlit as st

from prunekit.core.language import _
from prunekit.core.proposals import GOALS, Proposal, propose
from prunekit.ui.forms import setting_input


def need_form(model: str) -> Proposal:
    """Draws the question and the reason for the answer; the proposal."""
    with st.container(horizontal=True, gap="medium"):
        st.session_state.setdefault("goal", next(iter(GOALS)))
        goal = st.segmented_control(
            _("What do you need?"),
            list(GOALS),
            format_func=lambda name: _(GOALS[name].label),
            key="goal",
            required=True,
            persist_state="session",
        )
        amount = setting_input(GOALS[goal].amount, f"goal.{goal}", width=210)
    proposal = propose(model, goal, amount)
    st.markdown(proposal.why)
    return proposal
