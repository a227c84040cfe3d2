"""The pages' hold on runs: the store they read, and presses on Start that are never lost."""

import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

import streamlit as st

from prunekit.core.errors import EngineUnavailable, PrunekitError
from prunekit.core.language import _
from prunekit.core.recipe import Recipe
from prunekit.experiments.folder import home
from prunekit.experiments.store import Run, Store
from prunekit.ui import engine

TRY_SECONDS = 120  # for so long a press on Start waits for an engine that does not come up
AT_ONCE_SECONDS = 0.6  # an engine that is ready answers within this, and the page shows the run at once
RANDOM = {"scorer": "random", "knobs": {}}


@st.cache_resource(show_spinner=False)
def store() -> Store:
    """The run store of this installation, for reading."""
    return Store(home())


def all_runs() -> list[Run]:
    """All runs, oldest first; none, and one sentence on the page, when they cannot be read."""
    try:
        return store().runs()
    except PrunekitError as error:
        st.error(str(error), icon=":material/error:")
        return []


# -- starting -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Press:
    """One press on Start: the recipe, and what the engine will have said to it (and to its random control)."""

    fingerprint: str
    title: str
    answers: tuple[Future, ...]

    @property
    def is_open(self) -> bool:
        return not all(answer.done() for answer in self.answers)


# One thread for all visitors: a press is held by the server, so it outlives the page and the tab, and runs are queued
# in the order in which they were asked for.
@st.cache_resource(show_spinner=False)
def _starter() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="start-runs")


def start(recipe: Recipe, control: bool) -> None:
    """Hands a recipe, and its random control if wanted, to the engine; a double click counts once."""
    presses = st.session_state.setdefault("presses", [])
    if any(press.is_open and press.fingerprint == recipe.fingerprint for press in presses):
        return
    wanted = [(recipe, "run")]
    if control and recipe.scorer != "random":
        wanted.append((recipe.with_(**RANDOM), "control"))
    handle = engine.engine()
    answers = tuple(_starter().submit(_start, handle, asked.to_plain(), role) for asked, role in wanted)
    presses.append(Press(recipe.fingerprint, recipe.title(), answers))
    wait(answers, timeout=AT_ONCE_SECONDS)


def _start(handle, recipe: dict, role: str) -> dict:
    deadline = time.monotonic() + TRY_SECONDS
    while True:
        try:
            return handle.start(recipe, role=role)
        except EngineUnavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(1.0)


def open_presses() -> list[Press]:
    """The presses of this visitor that the engine has not answered yet."""
    return [press for press in st.session_state.get("presses", []) if press.is_open]


def answered_presses() -> list[tuple[Press, dict | PrunekitError]]:
    """The presses that were answered since the last look, each with the answer for the run itself or its error."""
    presses = st.session_state.get("presses", [])
    st.session_state["presses"] = [press for press in presses if press.is_open]
    found = []
    for press in presses:
        if not press.is_open:
            error = next((e for e in (answer.exception() for answer in press.answers) if e), None)
            if error is not None and not isinstance(error, PrunekitError):
                error = EngineUnavailable(_("The run could not be started; the server's log says more."))
            found.append((press, error or press.answers[0].result()))
    return found


# -- what is done to runs -------------------------------------------------------------------------------------


def tell(action: str, *args) -> bool:
    """Asks the engine to stop, resume, rename or delete; True when it did, else its sentence is on the page."""
    try:
        with st.spinner(_("Asking the engine."), show_time=False):
            getattr(engine.engine(), action)(*args)
        return True
    except PrunekitError as error:
        st.error(str(error), icon=":material/error:")
        return False
