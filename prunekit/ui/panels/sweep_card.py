"""One sweep on the page: how far it is as a whole, what it shows so far, and what can be done with it."""

import time

import pandas as pd
import streamlit as st

from prunekit.core.amounts import metric_text, percent, spread_text
from prunekit.core.cuts import GRANULARITIES
from prunekit.core.errors import PrunekitError
from prunekit.core.language import N_, _, ngettext
from prunekit.core.recipe import Recipe
from prunekit.core.sweep import Sweep
from prunekit.experiments.estimates import estimate, seconds_left
from prunekit.experiments.runs import ACTIVE, Run
from prunekit.experiments.store import Store
from prunekit.experiments.sweep_runs import SweepRuns
from prunekit.reports.progress import duration, progress
from prunekit.reports.sweep_chart import sweep_chart
from prunekit.reports.sweep_table import Line, sweep_lines
from prunekit.reports.tables import task_of
from prunekit.ui import frame
from prunekit.ui.panels.card_head import action_button, other_model_badge
from prunekit.ui.plain import as_typed, show_error
from prunekit.ui.runs import tell

CHART_HEIGHT = 260
STATES = {  # of a sweep as a whole: the colour and the words
    "running": ("blue", N_("running")),
    "waiting": ("gray", N_("waiting")),
    "stopping": ("orange", N_("stopping")),
    "stopped": ("orange", N_("stopped")),
    "finished": ("green", N_("finished")),
    "ended": ("orange", N_("ended with failures")),
}


def sweep_card(whole: SweepRuns, store: Store, history: list[Run], ahead: int = 0) -> None:
    """A sweep with all there is to tell of it; `ahead` is how many runs of others go first."""
    with st.container(border=True, key=f"run_card_{whole.sweep.id}", gap="small"):
        _head(whole)
        running = next((run for run in whole.runs if run.state in ACTIVE), None)
        how_far = None
        if running is not None:
            how_far = progress(store.events(running.id), running.recipe["training"]["batch_size"])
        total = max(len(whole.runs), 1)
        done = whole.count("finished", "failed") + (min(how_far.fraction, 1.0) if how_far else 0.0)
        if whole.state != "finished":
            st.progress(min(done / total, 1.0), text=_how_far(whole, history, ahead if running else 0))
        if running is not None:
            now = _("Now: {title} · {how_far}")
            st.caption(now.format(title=as_typed(running.title), how_far=how_far.sentence()))
        elif ahead and not whole.is_over:
            sentence = ngettext("{n} run of others goes first.", "{n} runs of others go first.", ahead)
            st.caption(sentence.format(n=ahead))
        _failures(whole)
        lines = _lines([(run.id, run.ended) for run in whole.runs if run.state == "finished"], whole)
        if lines:
            _results(whole, lines)
        elif not whole.is_over:
            st.caption(_("The chart appears here when the first run is finished, and fills as the others are."))
        _further(whole)


@st.cache_data(show_spinner=False, max_entries=100)
def _lines(finished: list[tuple], _whole: SweepRuns) -> list[Line]:
    return sweep_lines(list(_whole.runs))


def sweep_line(whole: SweepRuns) -> None:
    """A sweep in two lines, with a button that shows it in full."""
    with st.container(border=True, key=f"run_line_{whole.sweep.id}", gap="xsmall"):
        _head(whole, in_full=False)
        st.caption(_counted(whole))


def _head(whole: SweepRuns, in_full: bool = True) -> None:
    sweep = whole.sweep
    colour, words = STATES[whole.state]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.text(sweep.title, width="content")
        if whole.is_study:
            help = _("It came with prunekit, so that the first chart is not empty.")
            st.badge(_("study"), color="violet", icon=":material/menu_book:", help=help)
        else:
            st.badge(_("sweep"), color="violet", icon=":material/grid_on:")
        st.badge(_(words), color=colour)
        other_model_badge(whole.model)
        st.space("stretch")
        if not in_full:
            st.button(_("Show"), key=f"show_{sweep.id}", on_click=_show, args=(sweep.id,))
            return
        if whole.can_stop:
            help = _("Finished runs and epochs are kept; runs that somebody started by themselves go on.")
            action_button("stop_sweep", sweep.id, _("Stop all"), ":material/stop:", help)
        if whole.can_resume and whole.state != "stopping":
            help = _("Queues what was stopped, cut off or failed; each goes on from the last epoch that was kept.")
            action_button("resume_sweep", sweep.id, _("Resume all"), ":material/resume:", help)


def _show(sweep_id: str) -> None:
    st.session_state["sweep_shown"] = sweep_id


def _counted(whole: SweepRuns) -> str:
    """As in “7 of 27 runs finished · 1 failed”."""
    parts = [_("{n} of {all} runs finished").format(n=whole.count("finished"), all=len(whole.runs))]
    if failed := whole.count("failed"):
        parts.append(_("{n} failed").format(n=failed))
    if stopped := whole.count("stopped", "interrupted"):
        parts.append(_("{n} stopped").format(n=stopped))
    return " · ".join(parts)


def _how_far(whole: SweepRuns, history: list[Run], between: int) -> str:
    left = None if whole.is_over else _seconds_left(whole, history)
    words = [_("about {time} left").format(time=duration(left))] if left else []
    if between:
        sentence = ngettext("{n} run of others in between", "{n} runs of others in between", between)
        words.append(sentence.format(n=between))
    return " · ".join([_counted(whole), *words])


def _seconds_left(whole: SweepRuns, history: list[Run]) -> float | None:
    left = seconds_left(whole.runs, time.time())
    if left is not None:
        return left
    return _by_earlier_runs(whole.sweep.id, [run for run in whole.runs if not run.is_over], history)


@st.cache_data(ttl=10, max_entries=50, show_spinner=False)
def _by_earlier_runs(sweep_id: str, _open: list[Run], _history: list[Run]) -> float | None:
    """Before the first of its own is finished, from earlier runs like them."""
    try:
        return estimate([Recipe.from_plain(run.recipe) for run in _open], _history).seconds
    except PrunekitError:  # of a model that is gone
        return None


def _failures(whole: SweepRuns) -> None:
    """Why runs failed, each reason once."""
    reasons: dict[str, int] = {}
    for run in whole.runs:
        if run.state == "failed" and run.error:
            reasons[run.error] = reasons.get(run.error, 0) + 1
    for reason, n in list(reasons.items())[:3]:
        show_error(ngettext("{n} run: {reason}", "{n} runs: {reason}", n).format(n=n, reason=reason))


def _results(whole: SweepRuns, lines: list[Line]) -> None:
    task = task_of(whole.model)
    title = _("{metric} on validation data after fine-tuning: means over the seeds, bars of one standard deviation")
    st.caption(title.format(metric=_(task.metric_label)))
    # The amounts of the plan, not those that are there yet: the axis stays where it is while the chart fills.
    options = sweep_chart(lines, whole.sweep.plan["amounts"], task)
    alt = _("The metric of each criterion over the amounts of the sweep")
    st.echarts_chart(options, height=CHART_HEIGHT, key=f"sweep_chart_{whole.sweep.id}", alt=alt)
    with st.expander(_("Means and spreads"), icon=":material/table_rows:"):
        st.dataframe(_table(lines, task.percent), hide_index=True)
        st.caption(_("± is the standard deviation over the seeds; a single seed has none."))


def _table(lines: list[Line], as_percent: bool) -> pd.DataFrame:
    def told(mean: float, spread: float | None) -> str:
        words = metric_text(mean, as_percent)
        return words if spread is None else f"{words} ± {spread_text(spread, as_percent, 1)}"

    rows = [
        {
            _("Criterion"): line.criterion,
            _("Granularity"): _(GRANULARITIES[line.granularity]),
            _("Amount"): percent(line.amount),
            _("After the cut"): told(line.validation_pruned, None),
            _("Fine-tuned"): told(line.validation, line.validation_spread),
            _("Against the best"): line.standing,
            _("Parameters gone"): percent(line.parameters_gone),
            _("MACs gone"): percent(line.macs_gone),
            _("Seeds"): line.seeds,
        }
        for line in lines
    ]
    return pd.DataFrame(rows)


def _further(whole: SweepRuns) -> None:
    """The ways on: the chart of all runs, the command, another name, the end."""
    sweep = whole.sweep
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if st.button(_("Compare its runs"), key=f"compare_{sweep.id}", icon=":material/ssid_chart:"):
            st.session_state["compared_sweep"] = sweep.id
            st.switch_page(frame.page("compare"), query_params={"model": whole.model})
        with st.popover(_("Repeat it"), icon=":material/terminal:", key=f"repeat_{sweep.id}"):
            st.caption(_("This line runs the sweep without the app; cut off, it goes on where it was:"))
            try:
                st.code(Sweep.from_plain(sweep.plan).command(), language="bash", wrap_lines=True)
            except PrunekitError as error:  # of a model or a version that is gone
                st.caption(as_typed(str(error)))
        with st.popover(_("Rename or delete"), icon=":material/edit:", key=f"edit_{sweep.id}"):
            title = st.text_input(_("Name"), value=sweep.title, key=f"title_{sweep.id}", max_chars=200)
            if st.button(_("Rename"), key=f"rename_{sweep.id}") and tell("rename_sweep", sweep.id, title):
                st.rerun()
            with_runs = st.checkbox(
                _("Its runs too"),
                key=f"with_runs_{sweep.id}",
                help=_("But none that somebody started by themselves, and none of another sweep."),
            )
            gone = st.button(
                _("Delete the sweep"),
                key=f"delete_{sweep.id}",
                icon=":material/delete:",
                disabled=not whole.is_over,
                help=_("Stop it first.") if not whole.is_over else None,
            )
            if gone and tell("delete_sweep", sweep.id, with_runs):
                st.rerun()
