"""A real server and a real Chromium, for tests, benchmarks and screenshots alike."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"


def chromium_path() -> str | None:
    """The system's Chromium, if there is one."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


@contextlib.contextmanager
def launched() -> Iterator:
    """A Chromium; its contexts are visitors."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def steady_box(locator, looks: int = 50) -> dict:
    """The bounding box of an element that has come to rest: on a busy machine a page is laid out in steps."""
    before = None
    for _look in range(looks):
        box = locator.bounding_box()
        if box is not None and box == before:
            return box
        before = box
        locator.page.wait_for_timeout(200)
    raise AssertionError(f"{locator} keeps moving")


@contextlib.contextmanager
def served(home: Path, *words: str, **environment: str) -> Iterator[str]:
    """The address of an app with a home folder of its own: `words` after the interpreter, by default the real app."""
    port = free_port()
    home.mkdir(parents=True, exist_ok=True)
    command = words or ("-m", "prunekit", "app", "--no-browser", "--port", str(port))
    command = [word.format(port=port) for word in command]
    log = home / "server.log"
    with log.open("w") as out:
        variables = os.environ | {"PRUNEKIT_HOME": str(home)} | environment
        server = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=variables, stdout=out, stderr=out)
    try:
        await_server(f"http://127.0.0.1:{port}/_stcore/health", server, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        import psutil

        for process in [*psutil.Process(server.pid).children(recursive=False), psutil.Process(server.pid)]:
            process.terminate()
        server.wait(10)


def await_server(url: str, server: subprocess.Popen, log: Path, seconds: float = 60) -> None:
    """Returns when the server answers; fails with its log when it does not."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except OSError:
            time.sleep(0.02)
    raise AssertionError(f"the server did not come up:\n{log.read_text()}")


def end_engine(home: Path) -> None:
    """Ends the engine of a home folder, if one is running."""
    from prunekit.experiments.engine import Engine

    Engine(home).shut_down()
