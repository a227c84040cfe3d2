"""The frame around every page: navigation, the chosen model, the engine's state."""

import threading
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from prunekit.core.cards import model_card, model_cards
from prunekit.core.data_cards import DATA_CARDS
from prunekit.core.data_folder import has_full_set
from prunekit.core.errors import PrunekitError
from prunekit.core.language import N_, _
from prunekit.ui import state
from prunekit.ui.boot import boot
from prunekit.ui.components.address import one_entry_a_page
from prunekit.ui.engine import engine_state
from prunekit.ui.plain import show_error

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
ICON = str(HERE / "icon.svg")  # a file of ours: a Material icon would be fetched from the net

# A page is one file in pages/ and one line here, in the order in which they are used. No icons: the browser's tab
# would show them, and Streamlit fetches those from the net.
PAGES = (
    ("start", N_("Start")),
    ("explore", N_("Explore")),
    ("sensitivity", N_("Sensitivity")),
    ("prune", N_("Prune")),
    ("compare", N_("Compare")),
)

_run = threading.local()  # a script run is one thread


def page(name: str) -> str:
    """What `st.switch_page` and `st.page_link` want for one of PAGES."""
    return f"pages/{name}.py"


def pages() -> list:
    """All pages for `st.navigation`; the first is the one that opens."""
    return [
        st.Page(ROOT / "pages" / f"{name}.py", title=_(title), default=i == 0) for i, (name, title) in enumerate(PAGES)
    ]


def navigate():
    """Registers all pages and draws the navigation; the page to run."""
    boot()
    return st.navigation(pages(), position="top")


def run(page) -> None:
    """Draws the header and runs a page inside the frame."""
    _run.framed = True
    try:
        header()
        page.run()
    finally:
        _run.framed = False


def ensure() -> None:
    """The first line of every page: makes sure that the frame is around it.

    Until the first `st.navigation` of a server, Streamlit runs the files of pages/ by themselves, without app.py; a
    link straight to a page would then show it bare.
    """
    if getattr(_run, "framed", False):
        return
    context = get_script_run_ctx()
    if context is not None and Path(context.main_script_path).resolve() == ROOT / "app.py":
        navigate()
        st.rerun()  # goes through app.py, now that the pages are registered
    boot()
    header()


def header() -> None:
    """The line above every page: the chosen model, its data, the engine."""
    st.html(HERE / "style.css")
    st.logo(HERE / "logo.svg", size="medium")
    try:
        chosen = state.chosen_model()
    except PrunekitError as error:
        show_error(error)
        if not model_cards():
            st.stop()
        chosen = state.chosen_model()
    cards = {name: model_card(name) for name in state.models_at_hand()}
    with st.container(key="header", horizontal=True, vertical_alignment="center", gap="small"):
        st.session_state["header_model"] = chosen
        st.selectbox(
            _("Model"),
            list(cards),
            format_func=lambda name: _(cards[name].title),
            key="header_model",
            label_visibility="collapsed",
            width=260,
            on_change=lambda: state.choose_model(st.session_state["header_model"]),
        )
        if lack := cards[chosen].lack_of_data():
            st.badge(_("no data set"), icon=":material/database_off:", color="gray", help=lack)
        else:
            data_badge(cards[chosen].data)
        st.space("stretch")
        with st.container(width="content", gap=None, key="engine"):
            engine_state()
            one_entry_a_page()
    if problem := cards[chosen].problem():
        show_error(problem)


def data_badge(name: str) -> None:
    """The data set of the chosen model, and whether all of it is used."""
    if has_full_set(name):
        label, about = _("{data}, full set"), _("The full data set of this model is there and is used.")
    elif name in DATA_CARDS and DATA_CARDS[name].download:
        label = _("{data}, shipped part")
        about = _("The shipped part of this model's data set is used; the Start page downloads all of it.")
    else:
        label, about = "{data}", _("The data set of this model, shipped whole.")
    st.badge(label.format(data=name), icon=":material/database:", color="gray", help=about)
