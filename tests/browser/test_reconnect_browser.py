"""A browser whose server dies, or whose net is cut, in the middle of a run: the page comes back by itself."""

import contextlib
import os
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from prunekit.core.recipe import Recipe, Training
from prunekit.experiments.ledger import Ledger
from tests.browser.driving import IDLE, ROOT, await_server, free_port
from tests.sample_runs import add_running

pytestmark = pytest.mark.browser

BACK = 60_000  # ms: the browser waits longer from try to try


@contextlib.contextmanager
def server(home, port: int):
    """The app at a port, killed without warning at the end."""
    log = home / "server.log"
    with log.open("a") as out:
        words = [sys.executable, "tests/browser/recording_app.py", str(port)]
        environment = os.environ | {"PRUNEKIT_HOME": str(home)}
        process = subprocess.Popen(words, cwd=ROOT, env=environment, stdout=out, stderr=out)
    try:
        await_server(f"http://127.0.0.1:{port}/_stcore/health", process, log)
        yield
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def page(chromium):
    """A visitor with patience."""
    with contextlib.closing(chromium.new_context()) as context:
        page = context.new_page()
        page.set_default_timeout(BACK)
        yield page


def test_a_page_comes_back_with_its_model_and_its_run_and_presses_start_only_once(page, tmp_path):
    home, port = tmp_path / "home", free_port()
    home.mkdir()
    history = Ledger(home)
    going = add_running(history, Recipe("mlp-digits", amount=0.3, training=Training(epochs=4)))
    with server(home, port):
        page.goto(f"http://127.0.0.1:{port}/prune?model=mlp-digits")
        expect(page.get_by_text("epoch 2 of 4")).to_be_visible(timeout=BACK)
        page.wait_for_selector(IDLE)
        page.get_by_role("button", name="Start", exact=True).click()
        expect(page.get_by_text("ahead of it").first).to_be_visible(timeout=BACK)
        runs = [run.id for run in history.runs()]
        assert len(runs) == 3  # the one that was going on, the new one, its random control

        page.context.set_offline(True)
        page.wait_for_timeout(2000)
        page.context.set_offline(False)
        history.change(going, title="told after the net was back")
        expect(page.get_by_text("told after the net was back")).to_be_visible(timeout=BACK)
    with server(home, port):
        history.change(going, title="told by the next server")
        expect(page.get_by_text("told by the next server")).to_be_visible(timeout=BACK)
        expect(page.get_by_role("combobox", name="Model")).to_have_value("Perceptron on digits")
        assert "model=mlp-digits" in page.url
        page.wait_for_timeout(1500)  # a press that was sent again would be here by now
        assert [run.id for run in history.runs()] == runs
