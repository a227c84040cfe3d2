"""The address of what is on the page, to hand on."""

import streamlit as st

from prunekit.core.language import _


def shared_link(query: str) -> None:
    """Shows the address with a button that copies it; `query` is the encoded part behind the question mark."""
    st.code(f"{st.context.url or ''}?{query}", language=None, wrap_lines=True)
    st.caption(
        _(
            "Model, criterion, granularity, scope, every cut and lock, and A where one is kept, are in the address of "
            "this page: a bookmark, a reload or a copy comes back to the same view. Others need an app with the same "
            "model at this address."
        )
    )
