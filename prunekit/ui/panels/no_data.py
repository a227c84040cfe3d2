"""What a model without a data set can be used for, where others have a recipe."""

import shlex

import streamlit as st

from prunekit.core.cards import ModelCard
from prunekit.core.language import _
from prunekit.ui import frame
from prunekit.ui.panels.latency import measured_latency


def what_works(card: ModelCard) -> None:
    """The reason, the way to Explore, its latency, and the command that measures that and memory too."""
    st.markdown(card.lack_of_data())
    with st.container(horizontal=True, gap="small"):
        if st.button(_("Explore it"), type="primary", icon=":material/tune:", key="to_explore"):
            st.switch_page(frame.page("explore"), query_params={"model": card.id})
    measured_latency(card)
    st.caption(_("The same, with parameters, MACs and memory, from the command line:"))
    st.code(shlex.join(["python", "-m", "prunekit", "profile", "--model", card.id]), language="bash", wrap_lines=True)
