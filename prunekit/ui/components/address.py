"""One entry in the browser's history for each page, however often the page's address changes."""

import streamlit as st

# Streamlit adds an entry for every change of `st.query_params`, so that "back" would undo the address, step by step,
# and the page with it only after dozens of them. Changes on the same page replace its entry instead.
_component = st.components.v2.component(
    "prunekit.address",
    js="""
    export default function () {
      if (history.pushState.samePageReplaces) return;
      const push = history.pushState.bind(history);
      history.pushState = (state, title, url) => {
        const to = new URL(url ?? "", location.href);
        if (to.pathname === location.pathname) history.replaceState(state, title, url);
        else push(state, title, url);
      };
      history.pushState.samePageReplaces = true;
    }
    """,
)


def one_entry_a_page() -> None:
    """Sees to it, on whatever page it is drawn, for as long as the browser's tab is open."""
    _component(key="address", data={}, height=1)
