"""Compare: the metric of all runs against what they cost, and the same runs as a table."""

import streamlit as st

from prunekit.core.language import _
from prunekit.experiments.store import ACTIVE, WAITING
from prunekit.reports.tables import batch_sizes, run_table
from prunekit.ui import frame, state
from prunekit.ui.components.again import look_again
from prunekit.ui.panels.comparison import chart_choices, chart_of_runs, compared_models, no_runs_yet
from prunekit.ui.panels.history import download, rename_and_delete, run_history
from prunekit.ui.panels.run_card import card_style, is_untimed, run_card
from prunekit.ui.runs import all_runs, store

frame.ensure()
card = state.chosen_card()


@st.fragment
def comparison() -> None:
    """The whole page: it fills by itself while runs are under way."""
    everything = all_runs()
    models = compared_models(card, everything)
    runs = [run for run in reversed(everything) if run.recipe["model"] in models]
    if not runs:
        no_runs_yet()
        return
    axis, split, batch = chart_choices(card, batch_sizes(runs))
    table = run_table(runs, batch)
    card_style()
    chart = st.container()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        actions = st.container(horizontal=True, vertical_alignment="center", width="content")
        st.space("stretch")
        download(table)
    # The table is drawn below its buttons and the chart, and decides what they are about.
    chosen = run_history(table, card.task)
    picked = [run for run in runs if run.id in chosen]
    with actions:
        st.caption(_("{n} runs, {chosen} chosen").format(n=len(runs), chosen=len(picked)))
        rename_and_delete(picked)
    with chart:
        chart_of_runs(table, card, axis, split, chosen)
    for run in picked[:3]:
        run_card(run, store(), store().place(run.id))
    if any(run.state in ACTIVE + WAITING for run in runs):
        look_again(2.0, key="again_compare")
    elif any(is_untimed(run) for run in runs):
        look_again(3.0, key="again_compare")


comparison()
