"""Which runs are chosen on the Compare page: what the latest gesture says, in the chart or in the table."""

from dataclasses import dataclass

import streamlit as st

CHART = "tradeoff"  # the key of the chart


@dataclass(frozen=True)
class Choice:
    """The ids of the chosen runs; origin: "chart" or "table", where they were chosen; turn: grows with each clearing.

    A click in the chart is shown by the browser itself, which keeps its zoom as long as the chart stays the same.
    """

    runs: tuple[str, ...] = ()
    origin: str = ""
    turn: int = 0


def choice() -> Choice:
    """The choice of this visitor."""
    return st.session_state.get("compare.choice", Choice())


def choose(runs: tuple[str, ...], origin: str) -> None:
    """Makes runs the chosen ones, whatever was chosen before; fit for a callback."""
    turn = choice().turn + (not runs)  # another turn makes the browser forget its own mark
    st.session_state["compare.choice"] = Choice(tuple(runs), origin if runs else "", turn)


def clear() -> None:
    """Nothing is chosen any more; fit for a callback."""
    choose((), "")


def heard_chart() -> None:
    """Callback of the chart: a click on a point chooses its run, one on a mean those of all its seeds."""
    points = st.session_state[CHART]["selection"]["points"]
    runs = tuple(run for point in points for run in str(point.get("id") or "").split())
    if runs:
        choose(runs, "chart")
    else:
        # A double click, which resets the zoom, or another click on the same point: nobody meant to close the card.
        # The browser has dropped its mark, so the chart is drawn with one.
        st.session_state["compare.drawn"] = None


def heard_table(key: str, rows: tuple[str, ...]) -> None:
    """Callback of the table with that key: its chosen rows are the chosen runs."""
    chosen = st.session_state[key]["selection"]["rows"]
    choose(tuple(rows[row] for row in chosen if row < len(rows)), "table")


def marked_by_browser(drawing: int) -> bool:
    """Whether the browser shows the choice by itself: the last click was on this drawing, and it is still there."""
    if choice().origin != "chart" or st.session_state.get("compare.drawn") != drawing:
        return False
    seen = st.session_state.get(CHART)
    return bool(seen and seen["selection"]["points"])


def remember_drawing(drawing: int) -> None:
    """Keeps what the chart shows, for `marked_by_browser`."""
    st.session_state["compare.drawn"] = drawing
