"""The table of runs: sorted, chosen, renamed, deleted, downloaded."""

from functools import partial

import pandas as pd
import streamlit as st

from prunekit.core.fingerprint import fingerprint
from prunekit.core.language import _, ngettext
from prunekit.core.tasks import Task
from prunekit.experiments.runs import Run
from prunekit.reports.tables import COLUMNS, Column, csv
from prunekit.ui.panels import chosen_runs
from prunekit.ui.runs import tell

FORMATS = {"fraction": "percent", "count": "compact", "bytes": "bytes", "ms": "%.3g", "times": "%.2f×", "whole": "%d"}
FORMATS |= {"seconds": "%.1f", "points": "percent"}


def run_history(table: pd.DataFrame, task: Task, split: str) -> None:
    """Draws the table; its marked rows are the chosen runs, wherever they were chosen.

    split: test results are shown with "test" alone, lest somebody choose by them.
    """
    names = [column.name for column in COLUMNS if split == "test" or column.name != "test_finetuned"]
    rows = tuple(table.index)
    # The browser names rows by their numbers: a table of other rows is another one, lest it choose other runs.
    key = "history_" + fingerprint(list(rows))
    marked = [row for row, run in enumerate(rows) if run in chosen_runs.choice().runs]
    if marked != list(st.session_state.get(key, {}).get("selection", {}).get("rows", [])):
        st.session_state[key] = {"selection": {"rows": marked, "columns": [], "cells": []}}
    st.dataframe(
        table[names],
        key=key,
        hide_index=True,
        on_select=partial(chosen_runs.heard_table, key, rows),
        selection_mode="multi-row",
        placeholder="–",
        column_config={column.name: _config(column, task) for column in COLUMNS},
        alt=_("All runs with their figures"),
    )


def download(table: pd.DataFrame) -> None:
    """A button that hands out the table as a file."""
    st.download_button(
        _("Download as CSV"),
        data=lambda: csv(table),
        file_name="prunekit-runs.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="download",
    )


def rename_and_delete(chosen: list[Run]) -> None:
    """What can be done to the chosen runs, each behind one more click."""
    over = [run for run in chosen if run.is_over]
    with st.popover(_("Rename"), icon=":material/edit:", disabled=len(chosen) != 1, help=_("Choose one run.")):
        if len(chosen) == 1:
            title = st.text_input(_("Name"), value=chosen[0].title, key=f"title_{chosen[0].id}", max_chars=200)
            if st.button(_("Rename"), key="rename", type="primary") and tell("rename", chosen[0].id, title):
                st.rerun()
    with st.popover(
        _("Delete"), icon=":material/delete:", disabled=not over, help=_("Choose runs that are over in the table.")
    ):
        count = len(over)
        sentence = ngettext(
            "Delete {n} run with its figures and its model? This cannot be undone.",
            "Delete {n} runs with their figures and their models? This cannot be undone.",
            count,
        )
        st.write(sentence.format(n=count))
        pressed = st.button(_("Delete for good"), key="delete", type="primary", icon=":material/delete_forever:")
        # All are tried: one that cannot be deleted says so, and the others are gone.
        if pressed and all([tell("delete", run.id) for run in over]):  # noqa: C419
            st.rerun()


def _config(column: Column, task: Task):
    label, help = _(column.label), _(column.help)
    if column.kind == "text":
        return st.column_config.TextColumn(label, help=help, pinned=column.name == "title")
    if column.kind == "date":
        return st.column_config.DatetimeColumn(
            label, help=help, format="YYYY-MM-DD HH:mm", timezone=st.context.timezone
        )
    if column.kind in ("metric", "points"):
        return st.column_config.NumberColumn(label, help=help, format="percent" if task.percent else "%.3f")
    return st.column_config.NumberColumn(label, help=help, format=FORMATS[column.kind])
