"""For page tests: the recorder's own functions called in this process, where nothing is trained."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from prunekit.core import errors
from prunekit.core.packing import pack, unpack
from prunekit.experiments.engine import Engine, Pending
from prunekit.experiments.folder import home
from prunekit.experiments.ledger import Ledger
from prunekit.experiments.naming import call
from prunekit.experiments.store import Store
from tests.pages.reading import as_read
from tests.recorder_alone import recorder_alone
from tests.sample_runs import add_finished, add_running, recipe

ROOT = Path(__file__).resolve().parents[2]


class InProcessEngine(Engine):
    """The engine without its processes. Arguments and answers are packed both ways, as between processes."""

    def __init__(self, folder: Path):
        super().__init__(folder)
        self.problem: Exception | None = None
        self.trouble: str | None = None

    def _tell(self, name: str, *args, patience: float = 10.0):
        if self.problem:
            raise self.problem
        answer = unpack(call(f"prunekit.experiments.recorder:{name}", tuple(unpack(pack(list(args))))))
        if "error" in answer:
            raise getattr(errors, answer["error"])(answer["sentence"])
        return answer["value"]

    def _ready(self):
        raise AssertionError("this would start a real engine")

    def ask(self, *_args, **_options) -> Pending:
        return Pending("starting")

    def known(self, *_args) -> None:
        return None

    def status(self) -> dict:
        return {"state": "ready", "sentence": "The engine is ready.", "lanes": {}, "trouble": self.trouble}

    def warm_up(self) -> None:
        pass


@pytest.fixture
def engine_here(monkeypatch):
    """The engine of the pages' server, in this process; its runs wait in a real store and are never begun."""
    from prunekit.ui import engine as module

    # AppTest makes every run the first one of a server, which goes round twice and forgets the press of a button.
    first = PagesManager.__init__

    def later(self, *args, **options):
        first(self, *args, **options)
        PagesManager.uses_pages_directory = False

    monkeypatch.setattr(PagesManager, "__init__", later)
    here = InProcessEngine(home())
    monkeypatch.setattr(module, "Engine", lambda _home: here)
    recorder_alone(monkeypatch)
    st.cache_resource.clear()
    st.cache_data.clear()
    yield here
    st.cache_resource.clear()


@pytest.fixture
def history(engine_here) -> Store:
    """The store that the pages read, to be filled."""
    return Ledger(home())


@pytest.fixture
def three_runs(history) -> list[str]:
    """Two finished runs, of which one is a random control, and one that is running."""
    ids = [add_finished(history, recipe()), add_finished(history, recipe(scorer="random"), role="control")]
    return [*ids, add_running(history, recipe(amount=0.7))]


def open_page(name: str, address: Mapping[str, str] | None = None, **session) -> AppTest:
    """A page of the app, run once, without an exception."""
    test = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    for key, value in (address or {}).items():
        test.query_params[key] = value
    for key, value in session.items():
        test.session_state[key] = value
    test.switch_page(f"pages/{name}.py").run()
    assert not test.exception, [e.value for e in test.exception]
    return test


def texts(test: AppTest) -> str:
    """All that the page says in words, one piece a line."""
    kinds = (*test.markdown, *test.caption, *test.text, *test.info, *test.error, *test.warning, *test.subheader)
    pieces = [as_read(piece.value) for piece in kinds]
    return "\n".join([*pieces, *(html.value for html in test.get("html"))])
