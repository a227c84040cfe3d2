"""Start: what this is, a model to look at, and a first recipe for what is needed."""

import streamlit as st

from prunekit.core.cards import model_cards
from prunekit.core.language import _
from prunekit.ui import frame, state
from prunekit.ui.engine import answers_or_wait
from prunekit.ui.panels.data_panel import data_panel
from prunekit.ui.panels.gallery import gallery, model_tiles
from prunekit.ui.panels.layers import layer_columns, layer_frame
from prunekit.ui.panels.needs import need_form
from prunekit.ui.panels.no_data import what_works
from prunekit.ui.panels.torchvision_picker import must_be_fetched, offer_untrained, torchvision_picker

frame.ensure()
card = state.chosen_card()


def needs(model: str) -> None:
    """The need, the recipe for it, and the two ways on."""
    proposal = need_form(model)
    with st.container(horizontal=True, gap="small"):
        if st.button(_("Explore it"), type="primary", icon=":material/tune:", key="to_explore"):
            state.aim_at(proposal.recipe)
            st.switch_page(frame.page("explore"), query_params={"model": model})
        if st.button(_("Prune with this recipe"), icon=":material/content_cut:", key="to_prune"):
            state.hand_on(proposal.recipe)
            st.switch_page(frame.page("prune"), query_params={"model": model})


st.title(_("See what a neural network can do without"), anchor=False)
st.markdown(
    _(
        "Look at the importance of every layer, drag a line to cut the rest away, and read at once what is left in "
        "size, work and accuracy. Then prune and fine-tune in the background, and compare."
    )
)

st.subheader(_("1. Take a model"), anchor=False)
if gallery(model_cards(), card.id, state.choose_model):
    st.switch_page(frame.page("explore"), query_params={"model": card.id})
data_panel(card)
torchvision_picker(card, state.choose_model)

st.subheader(_("2. Say what you need, or just look"), anchor=False)
with st.container(border=True, key="needs"):
    if card.lack_of_data():
        what_works(card)
    else:
        needs(card.id)

st.subheader(_("What {model} is made of").format(model=_(card.title)), anchor=False)
answers = None if must_be_fetched(card) else answers_or_wait(("summary", card.id))
if answers is None:
    offer_untrained(card, state.choose_model)
else:
    [summary] = answers
    model_tiles(summary)
    if summary.get("untraced"):
        st.caption(_("Channels cannot be pruned here, single weights can. {why}").format(why=summary["untraced"]))
    st.dataframe(layer_frame(summary), hide_index=True, column_config=layer_columns())
