"""The address in the browser's bar, for the pages that have what they show in it."""

import streamlit as st


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
