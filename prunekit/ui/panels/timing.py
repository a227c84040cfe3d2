"""Timing on this machine: when somebody asks for it, and nothing trains."""

import time
from collections.abc import Callable, Hashable

import streamlit as st

from prunekit.core.errors import PrunekitError
from prunekit.core.language import _, ngettext
from prunekit.experiments.engine import Pending
from prunekit.experiments.runs import ACTIVE
from prunekit.ui.components.again import look_again
from prunekit.ui.plain import show_error
from prunekit.ui.runs import all_runs

WANTED = "timing_wanted"
SAME_SECONDS = 60  # who asks within a minute of somebody else is shown the same measurement


def timed(key: str, subject: Hashable, draw: Callable[[int], float], label: str, again: str = "") -> None:
    """A button, and once it is pressed what `draw` makes of the measurement of a subject.

    draw(moment): asks for the measurement of that moment and draws what is there of it; gives in how many seconds to
    look again, 0 when that is all (see `soon`). label, again: of the button, before it was pressed and after.
    """
    moment = st.session_state.get(WANTED, {}).get((key, subject))
    words = again if again and moment is not None else label
    st.button(words, key=key, icon=":material/timer:", on_click=_want, args=((key, subject),))
    seconds = 0.0
    if moment is not None:
        if any(run.state in ACTIVE for run in all_runs()):
            st.caption(_("A run is training: this is measured when nothing trains any more."))
            seconds = 3.0
        else:
            try:
                seconds = draw(moment)
            except PrunekitError as error:
                show_error(error)
    look_again(seconds, key=f"again_{key}")


def soon(answer: Pending) -> float:
    """In how many seconds to look for a measurement again; 0 where no engine is."""
    return 0.5 if answer.state != "off" else 0.0


def on_cores(threads: int) -> str:
    """What a time was measured on."""
    return ngettext("on {n} core", "on {n} cores", threads).format(n=threads)


def _want(asked: tuple) -> None:
    st.session_state.setdefault(WANTED, {})[asked] = int(time.time() // SAME_SECONDS)
