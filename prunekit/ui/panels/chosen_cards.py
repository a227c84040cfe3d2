"""The chosen runs in full: up to three cards, or the list of the seeds behind a mean."""

import statistics

import pandas as pd
import streamlit as st

from prunekit.core.amounts import metric_text, spread_text
from prunekit.core.fingerprint import fingerprint
from prunekit.core.language import _, ngettext
from prunekit.experiments.runs import Run
from prunekit.experiments.store import Store
from prunekit.reports.identity import identity_of
from prunekit.reports.tables import task_of
from prunekit.ui.panels import chosen_runs
from prunekit.ui.panels.run_card import run_card, run_line

CARDS, LINES = 3, 12


def chosen_cards(runs: list[Run], store: Store, table: pd.DataFrame) -> None:
    """Draws them with a way to close them, and from one seed to all; `table` is that of all runs on the page."""
    if not runs:
        return
    as_lines = len(runs) > CARDS or (len(runs) > 1 and _are_seeds(runs))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{_heading(runs)}**", width="content")
        seeds = _seeds_of(runs[0], table) if len(runs) == 1 else ()
        if len(seeds) > 1:
            label = _("All {n} seeds of this recipe").format(n=len(seeds))
            st.button(label, key="all_seeds", type="tertiary", on_click=_choose, args=(seeds,))
        st.space("stretch")
        st.button(_("Close"), key="close_chosen", icon=":material/close:", type="tertiary", on_click=chosen_runs.clear)
    if not as_lines:
        for run in runs:
            run_card(run, store, store.place(run.id) if run.state == "queued" else None)
        return
    for run in sorted(runs, key=lambda run: run.recipe["seed"])[:LINES] if _are_seeds(runs) else runs[:LINES]:
        run_line(run, on_open=lambda run_id: _choose((run_id,)))
    if (beyond := len(runs) - LINES) > 0:
        st.caption(ngettext("and {n} more run", "and {n} more runs", beyond).format(n=beyond))


def _choose(runs: tuple[str, ...]) -> None:
    """Others in the place of the chosen ones."""
    chosen_runs.choose(runs, chosen_runs.choice().origin)


def _seeds_of(run: Run, table: pd.DataFrame) -> tuple[str, ...]:
    same = table["recipe_key"] == table.at[run.id, "recipe_key"]
    return tuple(table.index[same & table["validation_finetuned"].notna()])


def _are_seeds(runs: list[Run]) -> bool:
    """Whether the runs differ in their seeds only; what a run that is not over is measured on, nobody knows yet."""
    recipes = {fingerprint(run.recipe | {"seed": None}) for run in runs}
    return len(recipes) == 1 and len({identity_of(run).recipe_key for run in runs if run.result}) <= 1


def _heading(runs: list[Run]) -> str:
    if len(runs) == 1 or not _are_seeds(runs):
        return ngettext("{n} run chosen", "{n} runs chosen", len(runs)).format(n=len(runs))
    values = [run.result["validation_finetuned"] for run in runs if run.result]
    if len(values) < 2:
        return _("{n} seeds of one recipe").format(n=len(runs))
    percent = task_of(runs[0].recipe["model"]).percent
    spread = statistics.stdev(values)
    sentence = _("{n} seeds of one recipe: {mean} ± {spread} on validation (mean and standard deviation)")
    return sentence.format(
        n=len(runs),
        mean=metric_text(statistics.fmean(values), percent),
        spread=spread_text(spread, percent),
    )
