"""Sensitivity: how much of the metric each layer costs when it alone is cut, and the cut that a loss allows."""

import streamlit as st

from prunekit.core.language import _
from prunekit.core.sensitivity import SPARSITIES
from prunekit.ui import frame, sensitivity_address, state
from prunekit.ui.components.again import look_again
from prunekit.ui.engine import answers_or_wait
from prunekit.ui.panels.allocation import allocated, allocation_panel
from prunekit.ui.panels.controls import criterion_controls
from prunekit.ui.panels.no_data import what_works
from prunekit.ui.panels.scan import cells_of, measure, scan_line
from prunekit.ui.panels.sensitivity_table import cells_frame, labels_of, moving_together, rowless_layers
from prunekit.ui.plain import as_typed
from prunekit.ui.tables import table_of

frame.ensure()
card = state.chosen_card()
if card.lack_of_data():
    what_works(card)
    st.stop()
sensitivity_address.open_address()
st.subheader(_("What each layer can lose"), anchor=False)
st.markdown(
    _(
        "Each row of the map is pruned by itself, lowest scores first, while everything else is left alone; the metric "
        "is read on validation examples before any fine-tuning."
    )
)
with st.container(horizontal=True, vertical_alignment="bottom"):
    question = criterion_controls(card.id)
sensitivity_address.write_address(question)

answers = answers_or_wait(("exploration", *question.arguments()), ("summary", card.id))
if answers is None:
    st.stop()
exploration, summary = answers
table = table_of(question.key, exploration["table"])
labels = labels_of(exploration["rows"], summary)


@st.fragment
def board() -> None:
    """The map, its curves and the cut that comes of them: the part that runs again while cells come."""
    from prunekit.reports import sensitivity as figures  # with plotly: not before the page is there

    cells = cells_of(question, table.names)
    measuring, seconds = scan_line(question, table.names, cells), 0.0
    if cells:
        percent = card.task.percent
        curves = {row: [cells[row, s] for s in SPARSITIES if (row, s) in cells] for row in table.names}
        found = None if measuring else allocated(question, table, curves, card)
        if said := figures.in_words(table.names, labels, cells, percent):
            st.markdown(as_typed(said))
            st.caption(figures.precision_in_words(cells, percent))
        left, right = st.columns([8, 5], gap="medium")
        with left:
            chosen, metric = found.sparsities if found else None, _(card.task.metric_label)
            drawn = figures.heat_map(table.names, labels, cells, metric, percent, chosen)
            st.plotly_chart(drawn, key="map", config={"displayModeBar": False})
        with right:
            drawn = figures.curves(table.names, labels, cells, metric, percent)
            st.plotly_chart(drawn, key="curves", config={"displayModeBar": False})
        with st.container(border=True, key="allocation_panel"):
            st.markdown(_("##### A cut of all layers"))
            is_whole = len(cells) == len(table.names) * len(SPARSITIES)
            seconds = allocation_panel(question, table, card, found, is_whole, measuring)
        with st.expander(_("Numbers as a table"), icon=":material/table_rows:"):
            st.dataframe(cells_frame(cells, labels, percent), hide_index=True)
        with st.expander(_("Layers without a row of their own"), icon=":material/layers:"):
            rowless = rowless_layers(exploration["rows"], summary, exploration["left_out"])
            for line in [*moving_together(table.names, summary), *rowless]:
                st.caption(as_typed(line))
    look_again(measure(question, table.names, cells) if measuring else seconds, key="again_sensitivity")


board()
