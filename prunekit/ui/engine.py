"""The server's one handle on the engine, and how a page asks it and waits."""

import uuid

import streamlit as st

from prunekit.core.errors import ComingLater, PrunekitError
from prunekit.core.language import _
from prunekit.experiments.engine import Engine, Pending
from prunekit.experiments.folder import home
from prunekit.ui.components.again import look_again
from prunekit.ui.plain import as_typed, show_error

ANSWERS = "prunekit.experiments.answers"


@st.cache_resource(show_spinner=False)
def engine() -> Engine:
    """The one engine of this installation; the handle is shared by all visitors."""
    return Engine(home())


def visitor() -> str:
    """A random name for this visitor's session."""
    return st.session_state.setdefault("visitor", uuid.uuid4().hex)


def ask(function: str, *args, lane: str = "quick", patience: float = 0.05, queue: str = ""):
    """The answer of a function of `prunekit.experiments.answers`, or Pending. Raises PrunekitError.

    queue: on the preview lane a question takes the place of what this visitor asked there before in the same queue.
    """
    return engine().ask(f"{ANSWERS}:{function}", *args, lane=lane, patience=patience, visitor=visitor() + queue)


def known(function: str, *args):
    """The answer to a question that was asked before, or None; nothing is computed for it."""
    return engine().known(f"{ANSWERS}:{function}", *args)


def answers_or_wait(*questions: tuple) -> list | None:
    """The answers to questions (each a function's name and its arguments), asked side by side.

    None after the page has said that they are coming and will look again by itself, or has shown in one sentence what
    went wrong.
    """
    try:
        answers = [ask(function, *arguments, patience=0.3) for function, *arguments in questions]
    except ComingLater as error:
        _wait(as_typed(str(error)), seconds=1.0)
        return None
    except PrunekitError as error:
        show_error(error)
        return None
    awaited = [answer for answer in answers if isinstance(answer, Pending)]
    if not awaited:
        return answers
    _wait(awaited[0].sentence, seconds=0.4)
    return None


def _wait(sentence: str, seconds: float) -> None:
    with st.container(key="waiting"):
        st.caption(sentence)
        st.skeleton(height=420)
    look_again(seconds, key="again_answers")


@st.fragment
def engine_state() -> None:
    """A small live line on the engine: it follows the start, then keeps still."""
    status = engine().status()
    # The page comes first: the engine is started by the second look, when the page has been painted.
    looked = st.session_state.setdefault("engine_looked", 0)
    st.session_state["engine_looked"] += 1
    if status["state"] == "off" and looked == 1:
        engine().warm_up()
        status = engine().status()
    words = {
        "off": _("engine asleep"),
        "starting": _("engine starting"),
        "ready": _("engine ready"),
        "paused": _("engine paused"),
        "failed": _("engine failed"),
    }
    if trouble := status.get("trouble"):
        st.badge(_("cannot write"), icon=":material/circle:", color="red", help=as_typed(trouble))
        look_again(3.0, key="again_engine")
        return
    colour = {"ready": "green", "failed": "red", "paused": "orange"}.get(status["state"], "gray")
    st.badge(words[status["state"]], icon=":material/circle:", color=colour, help=as_typed(status["sentence"]))
    if status["state"] == "starting" or (status["state"] == "off" and looked == 0):
        look_again(1.0, key="again_engine")
