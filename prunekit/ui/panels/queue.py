"""The runs of now: presses on Start, what runs, what waits, what has just ended."""

import datetime
import zoneinfo

import streamlit as st

from prunekit.core.errors import PrunekitError
from prunekit.core.language import _
from prunekit.experiments.store import ACTIVE, WAITING, Run, queue_order
from prunekit.ui import frame
from prunekit.ui.components.again import look_again
from prunekit.ui.panels.run_card import card_style, is_untimed, run_card, run_line
from prunekit.ui.plain import as_typed
from prunekit.ui.runs import all_runs, answered_presses, open_presses, store

RECENT = 4  # runs that are over and still told of here, besides the latest, which is told in full
LIVE_SECONDS, LATER_SECONDS = 1.0, 3.0


@st.fragment
def runs_of_now(model: str) -> None:
    """Draws them, and looks again by itself for as long as something is going on."""
    card_style()
    runs = all_runs()
    _answers(runs)
    for press in open_presses():
        st.info(
            _("“{title}” is handed over; it starts as soon as the engine is ready.").format(
                title=as_typed(press.title)
            ),
            icon=":material/hourglass_top:",
        )
    going = [run for run in runs if run.state in ACTIVE]
    waiting = sorted((run for run in runs if run.state in WAITING), key=queue_order)
    over = [run for run in reversed(runs) if run.is_over and run.recipe["model"] == model]
    shown = [run for run in over if run.id == st.session_state.get("run_shown")]
    # One's own run is told in full, not the control that ended after it.
    latest = shown or sorted(over, key=lambda run: run.role == "control")[:1]
    if not (going or waiting or over or open_presses()):
        st.caption(_("Nothing has run yet. Press Start: the run goes on by itself, also when this page is closed."))
    for run in [*shown, *going]:
        run_card(run, store())
    for ahead, run in enumerate(waiting, start=bool(going)):
        run_card(run, store(), ahead)
    for run in latest[: 0 if shown else 1]:
        run_card(run, store())
    for run in [run for run in over if run not in latest][:RECENT]:
        run_line(run)
    if over:
        st.page_link(frame.page("compare"), label=_("Compare all runs"), icon=":material/ssid_chart:")
    if going or waiting or open_presses():
        look_again(LIVE_SECONDS, key="again_runs")
    elif any(is_untimed(run) for run in over):
        look_again(LATER_SECONDS, key="again_runs")


def _answers(runs: list[Run]) -> None:
    """Tells what the engine said to the presses since the last look, until the next press."""
    for press, answer in answered_presses():
        st.session_state["press_answer"] = (press.title, answer)
        if not isinstance(answer, PrunekitError):
            st.session_state["run_shown"] = answer["id"] if answer["known"] else None
    if "press_answer" not in st.session_state:
        return
    _title, answer = st.session_state["press_answer"]
    if isinstance(answer, PrunekitError):
        st.error(str(answer), icon=":material/error:")
    elif answer["known"]:
        known = next((run for run in runs if run.id == answer["id"]), None)
        if known is not None:
            st.info(_known(known, answer["state"]), icon=":material/history:")


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
