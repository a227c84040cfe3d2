"""The address in the browser's bar, for the pages that have what they show in it."""

import streamlit as st

from prunekit.core.link import Place, concerns_explore, read_place
from prunekit.ui import state


def given_once(page: str) -> dict[str, str] | None:
    """The parameters that the session's first look at a page has in its address; None at every later one.

    A link, a reload, a second tab, a restarted server: all of them begin a session. From then on the session knows
    better, and the address follows it; an older one that the back button brings is not gone back to.
    """
    read = st.session_state.setdefault("addresses_read", set())
    if page in read:
        return None
    read.add(page)
    return st.query_params.to_dict()


def put(parameters: dict[str, str]) -> None:
    """Makes these the parameters of the address; not touched where they are, since every write goes to the browser."""
    if st.query_params.to_dict() != parameters:
        st.query_params.from_dict(parameters)


def open_controls(page: str) -> tuple[dict[str, str], Place, list[str]] | None:
    """Sets criterion, granularity and what a cut takes from the controls, before they are drawn, to what the address
    of a page says; once in a session.

    The parameters, what they mean, and what makes no sense in them; None where there is nothing to set.
    """
    given = given_once(page)
    if given is None or not concerns_explore(given):
        return None
    place, faults = read_place(given)
    state.set_controls(place.scorer, place.knobs, place.granularity, place.rule)
    return given, place, faults
