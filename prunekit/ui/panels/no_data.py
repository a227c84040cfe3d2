"""What a model without a data set can be used for, where others have a recipe."""

import shlex

import streamlit as st

from prunekit.core.cards import ModelCard
from prunekit.core.language import _
from prunekit.ui import frame


def what_works(card: ModelCard) -> None:
    """The reason, the way to Explore, and the command that measures speed."""
    st.markdown(card.lack_of_data())
    with st.container(horizontal=True, gap="small"):
        if st.button(_("Explore it"), type="primary", icon=":material/tune:", key="to_explore"):
            st.switch_page(frame.page("explore"), query_params={"model": card.id})
    st.caption(_("Its speed, MACs and memory on this machine are measured by:"))
    st.code(shlex.join(["python", "-m", "prunekit", "profile", "--model", card.id]), language="bash", wrap_lines=True)
