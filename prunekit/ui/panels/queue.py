"""The runs of now: presses on Start, what runs, what waits, what has just ended."""

import datetime
import zoneinfo

import streamlit as st

from prunekit.core.errors import PrunekitError
from prunekit.core.language import _, ngettext
from prunekit.experiments.runs import ACTIVE, STUDY, WAITING, Run, queue_order
from prunekit.experiments.sweep_runs import SweepRuns, sweeps_with_runs
from prunekit.ui import frame
from prunekit.ui.components.again import look_again
from prunekit.ui.panels.run_card import card_style, is_untimed, run_card, run_line
from prunekit.ui.panels.sweep_card import sweep_card, sweep_line
from prunekit.ui.plain import as_typed, show_error
from prunekit.ui.runs import (
    all_runs,
    all_sweeps,
    answered_presses,
    open_presses,
    store,
    told_when_unreadable,
)

SWEEPS = 3  # sweeps that are told in full while they go on; others have a line
OTHERS = 3  # waiting runs that were not started in this session and have a card; one's own all have
RECENT = 4  # runs that are over and still told of here, besides the latest, which is told in full
LIVE_SECONDS, LATER_SECONDS, IDLE_SECONDS = 1.0, 3.0, 10.0


@st.fragment
@told_when_unreadable("again_runs")
def runs_of_now(model: str) -> None:
    """Draws them, and looks again by itself: every second while something is going on."""
    card_style()
    everything = all_runs()
    sweeps = sweeps_with_runs(all_sweeps(), everything)
    _answers(everything, sweeps, model)
    for press in open_presses():
        st.info(
            _("“{title}” is handed over; it starts as soon as the engine is ready.").format(
                title=as_typed(press.title)
            ),
            icon=":material/hourglass_top:",
        )
    # The runs of a sweep are told by its card; those that somebody asked for by themselves are told here too.
    folded = {run.id for whole in sweeps for run in whole.runs if run.role in ("sweep", STUDY)}
    folded.discard(st.session_state.get("run_shown"))
    runs = [run for run in everything if run.id not in folded]
    going = [run for run in runs if run.state in ACTIVE]
    waiting = sorted((run for run in runs if run.state in WAITING), key=queue_order)
    over = [run for run in reversed(runs) if run.is_over and run.recipe["model"] == model]
    shown = [run for run in over if run.id == st.session_state.get("run_shown")]
    # One's own run is told in full, not the control that ended after it.
    latest = shown or sorted(over, key=lambda run: run.role == "control")[:1]
    if not (going or waiting or over or sweeps or open_presses()):
        st.caption(_("Nothing has run yet. Press Start: the run goes on by itself, also when this page is closed."))
    busy = any(run.state in ACTIVE for run in everything)
    for run in [*shown, *going]:
        run_card(run, store())
    own = st.session_state.get("own_runs", set())
    untold = [run.id for run in waiting if run.id not in own][OTHERS:]
    for ahead, run in enumerate(waiting, start=busy):
        if run.id not in untold:
            run_card(run, store(), ahead)
    if more := len(untold):
        sentence = ngettext("{n} more run of others waits.", "{n} more runs of others wait.", more)
        st.caption(sentence.format(n=more))
    in_full, in_short = _sweeps_of_now(sweeps, model)
    for whole in in_full:
        sweep_card(whole, store(), everything, ahead=_ahead(whole, everything))
    for run in latest[: 0 if shown else 1]:
        run_card(run, store())
    # What came with prunekit comes last.
    for whole in [whole for whole in in_short if not whole.is_study]:
        sweep_line(whole)
    for run in [run for run in over if run not in latest][:RECENT]:
        run_line(run, on_open=_show)
    for whole in [whole for whole in in_short if whole.is_study]:
        sweep_line(whole)
    if over or sweeps:
        st.page_link(frame.page("compare"), label=_("Compare all runs"), icon=":material/ssid_chart:")
    if any(run.state in ACTIVE + WAITING for run in everything) or open_presses():
        look_again(LIVE_SECONDS, key="again_runs")
    else:  # in another tab something may begin
        look_again(LATER_SECONDS if any(is_untimed(run) for run in over) else IDLE_SECONDS, key="again_runs")


def _show(run_id: str) -> None:
    st.session_state["run_shown"] = run_id


def _sweeps_of_now(sweeps: list[SweepRuns], model: str) -> tuple[list[SweepRuns], list[SweepRuns]]:
    """Those told in full, and those in a line: what is shown and what goes on first, else the latest of this model."""
    mine = [whole for whole in sweeps if whole.model == model]
    shown = [whole for whole in sweeps if whole.sweep.id == st.session_state.get("sweep_shown")]
    shown = [whole for whole in shown if whole in mine or not whole.is_over]
    going = [whole for whole in sweeps if not whole.is_over and whole not in shown]
    going.sort(key=lambda whole: (not whole.count(*ACTIVE), whole.model != model))
    own = [whole for whole in mine if not whole.is_study]
    in_full = [*shown, *going[: SWEEPS - len(shown)]] or own[:1]
    rest = [whole for whole in [*going, *mine] if whole not in in_full]
    return in_full, list({whole.sweep.id: whole for whole in rest}.values())[:RECENT]


def _ahead(whole: SweepRuns, runs: list[Run]) -> int:
    """How many runs of others go before the first of a sweep that waits."""
    own = {run.id for run in whole.runs}
    first = min((queue_order(run) for run in whole.runs if run.state in WAITING), default=None)
    if first is None:
        return 0
    return sum(
        run.state in ACTIVE or (run.state in WAITING and queue_order(run) < first) for run in runs if run.id not in own
    )


def _answers(runs: list[Run], sweeps: list[SweepRuns], model: str) -> None:
    """Tells what the engine said to the presses since the last look, until the next press: on the model's own page."""
    for press, answer in answered_presses():
        st.session_state["press_answer"] = (press.model, press.kind, answer)
        started = (one.result()["id"] for one in press.answers if one.exception() is None)
        st.session_state.setdefault("own_runs", set()).update(started)
        if not isinstance(answer, PrunekitError):
            if press.kind == "sweep":
                st.session_state["sweep_shown"] = answer["id"]
            else:
                st.session_state["run_shown"] = answer["id"] if answer["known"] else None
    of, kind, answer = st.session_state.get("press_answer", (None, "", None))
    if of != model:
        return
    if isinstance(answer, PrunekitError):
        show_error(answer)
    elif kind == "sweep":
        started = next((whole for whole in sweeps if whole.sweep.id == answer["id"]), None)
        if started is not None and not answer["new"]:
            st.info(_known_sweep(started), icon=":material/history:")
    elif answer["known"]:
        known = next((run for run in runs if run.id == answer["id"]), None)
        if known is not None:
            st.info(_known(known, answer["state"]), icon=":material/history:")


def _known_sweep(whole: SweepRuns) -> str:
    if not whole.is_over:
        return _("This sweep is already on its way; it is not run twice.")
    if whole.can_resume:
        return _("This sweep was begun before; here it is. “Resume all” runs what is missing.")
    return _("All runs of this sweep were run before; here they are. More seeds make it a new one.")


def _known(run: Run, state: str) -> str:
    if state in ACTIVE + WAITING:
        return _("This recipe is already on its way; it is not run twice.")
    return _("This recipe was run before, on {date}; here is that run. Another seed makes it a new one.").format(
        date=_local(run.created)
    )


def _local(seconds: float) -> str:
    """A moment in the visitor's own time."""
    try:
        zone = zoneinfo.ZoneInfo(st.context.timezone or "UTC")
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        zone = datetime.UTC
    return datetime.datetime.fromtimestamp(seconds, zone).strftime("%Y-%m-%d %H:%M")
