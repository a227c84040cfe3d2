"""The whole app in this process, over a toy engine: opened on a page, and read."""

import json
import re
from pathlib import Path

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

import prunekit.ui.engine as ui_engine
from tests.toy_engine import ToyEngine

ROOT = Path(__file__).resolve().parents[1]


def _warm(first):
    def later(self, *args, **options):
        first(self, *args, **options)
        PagesManager.uses_pages_directory = False

    return later


class AppOverToy:
    """Opens pages of the app; `engine` may be exchanged before a page is opened.

    cold: every run is the first one of a server, where pages run by themselves and the frame has to be put around
    them. AppTest does that by default, and the second round that it takes forgets the press of a button.
    """

    def __init__(self, monkeypatch, cold: bool = False):
        self.engine = ToyEngine(rows=5)
        st.cache_resource.clear()
        monkeypatch.setattr(ui_engine, "engine", lambda: self.engine)
        if not cold:
            monkeypatch.setattr(PagesManager, "__init__", _warm(PagesManager.__init__))

    def open(self, page: str | None = None, address: dict | None = None, **state) -> AppTest:
        at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
        for name, value in (address or {}).items():
            at.query_params[name] = value
        for name, value in state.items():
            at.session_state[name] = value
        if page:
            at.switch_page(f"pages/{page}.py")
        at.run()
        assert not at.exception, [e.value for e in at.exception]
        return at


def component(at: AppTest, name: str) -> dict:
    """The data that a component of the page was given."""
    [found] = [e.proto for e in elements(at) if getattr(e.proto, "component_name", "") == f"prunekit.{name}"]
    return json.loads(found.mixed.json if found.HasField("mixed") else found.json)


def tiles(at: AppTest) -> dict[str, tuple[str, str]]:
    """The tiles of the page: label -> (value, note)."""
    text = "".join(e.proto.body for e in elements(at) if e.type == "html")
    found = re.findall(r'<div class="pk-tile[^>]*><span>(.*?)</span><strong>(.*?)</strong><small>(.*?)</small>', text)
    return {label: (value, note) for label, value, note in found}


def elements(block) -> list:
    """All elements of a page, in order."""
    found = []
    for child in (block._tree if isinstance(block, AppTest) else block).children.values():
        found += elements(child) if hasattr(child, "children") else [child]
    return found
