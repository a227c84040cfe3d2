"""Explore: see every layer's importance, drag the cut, read at once what it leaves."""

import streamlit as st

from prunekit.core.language import _
from prunekit.ui import explore_address, frame, state
from prunekit.ui.components.cuts import cuts_picture, cuts_reply, picture_data
from prunekit.ui.engine import answers_or_wait
from prunekit.ui.panels.bounds import what_bounds_do
from prunekit.ui.panels.controls import axis_words, question_controls, unit_words
from prunekit.ui.panels.cut_exchange import cut_exchange
from prunekit.ui.panels.inside import look_inside
from prunekit.ui.panels.layers import layer_editor, layers_by_reason, uncut_layers
from prunekit.ui.panels.numbers import Outlook, numbers_line
from prunekit.ui.panels.preview import ask_for_preview, how_previews_did, preview_tile, recalibrated_tile
from prunekit.ui.panels.sides import keep_button, preview_beside, side_a, side_line, sides_by_layer, where_they_disagree
from prunekit.ui.panels.torchvision_picker import must_be_fetched, offer_untrained
from prunekit.ui.tables import table_of

frame.ensure()
card = state.chosen_card()
lack = card.lack_of_data()
explore_address.open_address()
told = st.container()
numbers = st.container(key="numbers")
set_aside = st.container()
with st.container(key="controls", horizontal=True, vertical_alignment="bottom"):
    question, rule, view, bounds = question_controls(card.id)
    st.space("stretch")
    tools = st.container(horizontal=True, vertical_alignment="center", gap="xsmall", width="content")
    if not lack and not st.toggle(_("Auto preview"), value=True, key="auto_preview", persist_state="session"):
        st.button(_("Preview"), icon=":material/visibility:", on_click=ask_for_preview)
    go = {"type": "primary", "icon": ":material/arrow_forward:", "icon_position": "right"}
    # A short word: the line is full where a criterion has settings of its own.
    if st.button(_("Prune"), key="to_prune", disabled=bool(lack), help=lack or _("A recipe with this cut"), **go):
        state.hand_on(state.recipe_of(question))
        st.switch_page(frame.page("prune"), query_params={"model": card.id})

if lack:
    st.caption(f"{lack} {_(card.summary)}")

questions = ("exploration", *question.arguments()), ("summary", card.id)
answers = None if must_be_fetched(card) else answers_or_wait(*questions)
if answers is None:
    offer_untrained(card, state.choose_model)
    st.stop()
aim = state.take_aim(card.id)
exploration, summary = answers

table = table_of(question.key, exploration["table"])
state.fit_cut(question, rule, table.names)
explore_address.open_rows(question, view, table)
if aim:
    state.move_cut(table.solve(aim.target, aim.amount, state.cut()))
with set_aside:
    explore_address.open_side(card.id)
side = side_a(card.id)
with told:
    explore_address.say_faults(question, view)
with set_aside:
    if side:
        side_line(side, question, table, exploration["rows"])
with tools:
    keep_button(question, table, exploration["rows"])
normalised = any(layer["kind"].startswith("BatchNorm") for layer in summary["layers"])
predicted = how_previews_did(card)
drawn = exploration["scores" if view == "importance" else "weights"]
rows = [row | drawn[row["name"]] for row in exploration["rows"]]
data = picture_data(
    table,
    rows,
    {layer["name"]: layer["kind"] for layer in summary["layers"]},
    key=question.key,
    model=card.id,
    view=view,
    rule=rule,
    signed=view == "weights" and question.scorer == "magnitude" and question.granularity == "weight",
    axis=axis_words(question, view),
    what=unit_words(question.granularity),
)


@st.fragment
def board() -> None:
    """The picture, its numbers and its table: the part that runs again after every move."""

    def heard() -> None:
        state.hear((st.session_state.get("picture") or {}).get("cut"), table, data["board"])

    cuts_picture(data, key="picture", on_cut=heard)
    cut = state.cut()
    outlook = Outlook.of(table, cut)
    preview = preview_tile(question, cut, card, state.settled())
    anew = [recalibrated_tile(question, cut, card)] if normalised and not lack else []
    a = side_a(card.id)
    query = explore_address.write_address(question, view, table, a)
    if a:
        a, preview = preview_beside(preview, a, question, cut, card)
    with numbers:
        beside = (a.outlook, unit_words(a.question.granularity)) if a else None
        numbers_line(outlook, unit_words(question.granularity), preview, *anew, a=beside)
    with bounds:
        what_bounds_do(question, cut, outlook, table, card, unit_words(question.granularity))
    with tools:
        cut_exchange(question, table, cut, outlook.kept, query)
    cuts_reply(data, cut, outlook.kept, focus=state.focus(), revision=state.revision(), seq=state.heard(), key="reply")
    for line in layers_by_reason(exploration["left_out"]):
        st.caption(line)
    if predicted:
        st.caption(predicted)
    look_inside(question, table, cut, outlook.kept, card)
    if a:
        with st.expander(
            _("A and B, layer by layer"), icon=":material/compare:", key="by_layer", on_change="rerun"
        ) as two:
            if two.open:
                where_they_disagree(a, question, cut, len(rows))
                sides_by_layer(a, outlook, rows, table)
    with st.expander(
        _("Layers as a table"), icon=":material/table_rows:", key="table", on_change="rerun"
    ) as table_panel:
        if table_panel.open:
            layer_editor(table, rows, summary, cut, outlook.kept)
            for line in uncut_layers(rows, summary, exploration["left_out"]):
                st.caption(line)


board()
