"""The app: its page config, its pages, and the frame around the page that is open."""

import streamlit as st

from prunekit.ui import frame

st.set_page_config(page_title="prunekit", page_icon=frame.ICON, layout="wide")
frame.run(frame.navigate())
