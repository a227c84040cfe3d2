"""The pages' hold on runs: the store they read, and presses on Start that are never lost."""

import functools
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

import streamlit as st

from prunekit.core.errors import EngineUnavailable, PrunekitError, StoreUnavailable
from prunekit.core.language import _
from prunekit.core.recipe import Recipe
from prunekit.core.sweep import Sweep
from prunekit.experiments.folder import home
from prunekit.experiments.runs import Run, StoredSweep
from prunekit.experiments.store import Store
from prunekit.ui import engine
from prunekit.ui.components.again import look_again
from prunekit.ui.plain import as_typed, show_error

TRY_SECONDS = 120  # for so long a press on Start waits for an engine that does not come up
UNREADABLE_SECONDS = 3  # a history that cannot be read is tried again so often
AT_ONCE_SECONDS = 0.6  # an engine that is ready answers within this, and the page shows the run at once
RANDOM = {"scorer": "random", "knobs": {}}


@st.cache_resource(show_spinner=False)
def store() -> Store:
    """The run store of this installation, for reading."""
    return Store(home())


def all_runs() -> list[Run]:
    """All runs, oldest first. Raises StoreUnavailable when they cannot be read: see `told_when_unreadable`."""
    runs = store().runs()
    if not all(run.is_over for run in runs):
        engine.engine().warm_up()  # one that died in the middle of a run: the next one says what became of it
    return runs


def all_sweeps() -> list[tuple[StoredSweep, list[str]]]:
    """All sweeps, oldest first, each with the ids of its runs. Raises StoreUnavailable as `all_runs` does."""
    members = store().members()
    return [(sweep, members.get(sweep.id, [])) for sweep in store().sweeps()]


def told_when_unreadable(key: str):
    """Around the body of a fragment that shows runs: what is wrong with the history is one sentence on the page.

    When it cannot be read the fragment looks again by itself, with `key` for `look_again`; when only the recorder
    cannot write, the runs are there below the sentence.
    """

    def around(body: Callable) -> Callable:
        @functools.wraps(body)
        def guarded(*args):
            if trouble := engine.engine().status().get("trouble"):
                kept = _("{trouble} Runs go on meanwhile, and what they report is written down later.")
                st.warning(as_typed(kept.format(trouble=trouble)), icon=":material/save:")
            try:
                body(*args)
            except StoreUnavailable as error:
                show_error(error)
                look_again(UNREADABLE_SECONDS, key=key)

        return guarded

    return around


# -- starting -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Press:
    """One press on Start: what was asked for, and what the engine will have said to it (and to its random control).

    kind: "run" or "sweep".
    """

    model: str
    fingerprint: str
    title: str
    answers: tuple[Future, ...]
    kind: str = "run"

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
    wanted = [(recipe, "run")]
    if control and recipe.scorer != "random":
        wanted.append((recipe.with_(**RANDOM), "control"))
    handle = engine.engine()
    calls = [lambda one=one, role=role: handle.start(one.to_plain(), role=role) for one, role in wanted]
    _press("run", recipe.model, recipe.fingerprint, recipe.title(), calls)


def start_sweep(sweep: Sweep) -> None:
    """Hands a sweep to the engine; a double click counts once."""
    handle = engine.engine()
    _press("sweep", sweep.base.model, sweep.fingerprint, sweep.name(), [lambda: handle.start_sweep(sweep.to_plain())])


def _press(kind: str, model: str, fingerprint: str, title: str, calls: list[Callable[[], dict]]) -> None:
    presses = st.session_state.setdefault("presses", [])
    if any(press.is_open and press.fingerprint == fingerprint for press in presses):
        return
    deadline = time.monotonic() + TRY_SECONDS  # from now on, however many wait before it
    answers = tuple(_starter().submit(_until_it_answers, call, deadline) for call in calls)
    presses.append(Press(model, fingerprint, title, answers, kind))
    wait(answers, timeout=AT_ONCE_SECONDS)


def _until_it_answers(call: Callable[[], dict], deadline: float) -> dict:
    while True:
        try:
            return call()
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
    """Asks the engine to stop, resume, rename or delete; True when it did, else its sentence is on the page.

    action: a method of Engine, for a run or for a sweep.
    """
    try:
        with st.spinner(_("Asking the engine."), show_time=False):
            getattr(engine.engine(), action)(*args)
        return True
    except PrunekitError as error:
        show_error(error)
        return False
