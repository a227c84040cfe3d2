"""What is done once, when the server has imported everything and before the first page is drawn."""

import gc

import pandas
import streamlit as st


@st.cache_resource(show_spinner=False)
def boot() -> str:
    """Freezes what the imports left behind, so that the collection after each rerun has nothing to walk through.

    Streamlit collects garbage after every run of a page; with pandas loaded that holds the interpreter for 40 ms.
    """
    # The first frame and the first Arrow table import their halves of pandas and pyarrow.
    pandas.DataFrame({"name": ["conv1"], "share": [0.5]}).to_json()
    gc.collect()
    gc.freeze()
    return "booted"
