"""Measuring what each row can lose: cell by cell, live, stoppable, and remembered."""

import time
from collections.abc import Sequence

import streamlit as st

from prunekit.core.errors import PrunekitError
from prunekit.core.language import _, ngettext
from prunekit.core.sensitivity import SPARSITIES, Cell
from prunekit.experiments.engine import Pending
from prunekit.reports.progress import duration
from prunekit.ui.engine import ask, known
from prunekit.ui.plain import show_error
from prunekit.ui.state import Question

QUESTION = "sensitivity"  # of `prunekit.experiments.answers`
AHEAD = 6  # cells that the engine has at a time: it need not wait for the page, nor others long for the engine
LOOK_SECONDS = 0.4  # a look at what came; then the page is drawn
MOST_SCANS = 4  # whose cells are held for a visitor; those of others are asked for again

Cells = dict[tuple[str, float], Cell]


def cells_of(question: Question, rows: Sequence[str]) -> Cells:
    """The cells that are measured, also by others and before; while this visitor measures, with what just came."""
    scans = st.session_state.setdefault("scans", {})
    if question.key not in scans:
        found = {(row, s): known(QUESTION, *question.arguments(), row, s) for row in rows for s in SPARSITIES}
        scans[question.key] = {cell: Cell(**answer) for cell, answer in found.items() if answer is not None}
        while len(scans) > MOST_SCANS:
            scans.pop(next(iter(scans)))
    return scans[question.key]


def scan_line(question: Question, rows: Sequence[str], cells: Cells) -> bool:
    """Draws the button and how far it is; whether this visitor is measuring, so that `measure` has work to do."""
    todo, begun = _left(rows, cells), _begun(question)
    if not todo:
        if begun:
            _stop()
        return False
    failed, reason = st.session_state.get("scan_failed", ("", ""))
    if failed == question.key:  # until it is tried again
        show_error(reason)
    everything = len(rows) * len(SPARSITIES)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if not begun:
            label = _("Measure the rest") if cells else _("Measure")
            icon = ":material/play_arrow:"
            st.button(label, key="measure", type="primary", icon=icon, on_click=_start, args=(question, len(cells)))
            sentence = ngettext("{rows} row", "{rows} rows", len(rows)).format(rows=len(rows)) + " · "
            sentence += _("{n} of {all} measurements to go; what is measured is kept, for other visitors too")
            st.caption(sentence.format(n=len(todo), all=everything), width="content")
            return False
        st.button(_("Stop"), key="stop_measuring", icon=":material/stop:", on_click=_stop)
        done = _("{done} of {all} measurements").format(done=len(cells), all=everything)
        now = _time_left(begun, len(cells), len(todo)) or st.session_state.get("scan_waits", "") or _beginning(cells)
        words = filter(None, (done, now, _("goes on as long as this page is open")))
        st.progress(len(cells) / everything, text=" · ".join(words))
    return True


def measure(question: Question, rows: Sequence[str], cells: Cells) -> float:
    """Puts new cells into `cells` for a moment: at the end of a look, when all that is known has been drawn.

    In how many seconds to look again.
    """
    try:
        pending = _measure(question, cells, _left(rows, cells))
    except PrunekitError as error:
        _stop()
        st.session_state["scan_failed"] = (question.key, str(error))
        return 0.1
    waits = pending is not None and pending.state != "computing"
    st.session_state["scan_waits"] = pending.sentence if waits else ""
    return 1.0 if waits else 0.1


def _left(rows: Sequence[str], cells: Cells) -> list[tuple[str, float]]:
    return [(row, s) for row in rows for s in SPARSITIES if (row, s) not in cells]


def _measure(question: Question, cells: Cells, todo: list[tuple[str, float]]) -> Pending | None:
    """Takes what has come within a moment, and keeps the engine in work."""
    until, pending = time.monotonic() + LOOK_SECONDS, None
    while True:
        patience = 0.1  # for the first one; the others are only to be known to the engine
        for row, sparsity in todo[:AHEAD]:
            asked = (*question.arguments(), row, sparsity)
            answer = ask(QUESTION, *asked, lane="scan", patience=patience)
            if isinstance(answer, Pending):
                pending = answer
            else:
                cells[row, sparsity] = Cell(**answer)
            patience = 0.0
        todo = [cell for cell in todo if cell not in cells]
        if not todo or time.monotonic() > until:
            return pending


def _beginning(cells: Cells) -> str:
    return "" if cells else _("the model is scored and run as it is first")


def _time_left(begun: tuple, done: int, todo: int) -> str:
    _key, since, before = begun
    if done - before < 5:  # the first ones bring the engine into its stride
        return ""
    return _("about {time} left").format(time=duration((time.monotonic() - since) / (done - before) * todo))


def _begun(question: Question) -> tuple | None:
    """The key of what is being measured, since when, and how much was there before; None where it is not this."""
    begun = st.session_state.get("measuring")
    return begun if begun and begun[0] == question.key else None


def _start(question: Question, done: int) -> None:
    st.session_state.pop("scan_failed", None)
    st.session_state["measuring"] = (question.key, time.monotonic(), done)


def _stop() -> None:
    st.session_state.pop("measuring", None)
