"""Compare: the metric of all runs against what they cost, and the same runs as a table."""

import streamlit as st

from prunekit.core.language import _
from prunekit.experiments.runs import ACTIVE, WAITING
from prunekit.reports.tables import batch_sizes, run_table
from prunekit.ui import compare_address, frame, state
from prunekit.ui.components.again import look_again
from prunekit.ui.engine import engine
from prunekit.ui.panels import chosen_runs
from prunekit.ui.panels.chosen_cards import chosen_cards
from prunekit.ui.panels.comparison import (
    chart_choices,
    chart_of_runs,
    compared_runs,
    no_runs_yet,
    word_on_the_test_set,
    words_on_runs,
)
from prunekit.ui.panels.history import download, rename_and_delete, run_history
from prunekit.ui.panels.run_card import card_style, is_untimed
from prunekit.ui.runs import all_runs, store, told_when_unreadable

frame.ensure()
card = state.chosen_card()
compare_address.open_address()


@st.fragment
@told_when_unreadable("again_compare")
def comparison() -> None:
    """The whole page: it fills by itself while runs are under way."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        everything = all_runs()
        runs = compared_runs(card, everything)
        if runs:
            axis, split, batch = chart_choices(card, batch_sizes(runs))
            compare_address.write_address(card.id)
    if not runs:
        no_runs_yet(card)
        if engine().enabled and not everything:  # the studies that come with prunekit come with the engine
            look_again(3.0, key="again_compare")
        return
    if split == "test":
        word_on_the_test_set()
    table = run_table(runs, batch)
    choice = chosen_runs.choice()
    picked = [run for run in runs if run.id in choice.runs]
    card_style()
    drawn = chart_of_runs(table, card, axis, split)
    # Where the hand is, nothing moves: what is chosen in the chart is told below it, and above the table.
    if choice.origin == "chart":
        chosen_cards(picked, store(), table)
    words_on_runs(table, axis, drawn)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(_("{n} runs, {chosen} chosen").format(n=len(runs), chosen=len(picked)), width="content")
        rename_and_delete(picked)
        st.space("stretch")
        download(table)
    run_history(table, card.task, split)
    if choice.origin == "table":
        chosen_cards(picked, store(), table)
    if any(run.state in ACTIVE + WAITING for run in runs):
        look_again(2.0, key="again_compare")
    elif any(is_untimed(run) for run in runs):
        look_again(3.0, key="again_compare")


comparison()
