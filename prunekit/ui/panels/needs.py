"""“What do you need?”: a goal and a number become a first recipe."""

import streamlit as st

from prunekit.core.language import _
from prunekit.core.proposals import GOALS, Proposal, propose
from prunekit.ui.forms import one_of, setting_input


def need_form(model: str) -> Proposal:
    """Draws the question and the reason for the answer; the proposal."""
    with st.container(horizontal=True, gap="medium"):
        words = {name: _(goal.label) for name, goal in GOALS.items()}
        goal = one_of(_("What do you need?"), words, "goal")
        amount = setting_input(GOALS[goal].amount, f"goal.{goal}", width=210)
    proposal = propose(model, goal, amount)
    st.markdown(proposal.why)
    return proposal
