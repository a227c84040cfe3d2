"""What all tests share: a home folder of their own, and one real engine for those that ask for it."""

import os
import time

import pytest

# Tests never touch the history of the checkout; the engine and its processes read this too.
os.environ.pop("PRUNEKIT_DATA", None)
if own := os.environ.get("PRUNEKIT_SCORERS"):  # criteria of one's own are tested like all others
    from prunekit.commands.own_scorers import use

    use(own)  # of which every test knows; the ones of this very thing name a file of their own
os.environ["PRUNEKIT_STUDIES"] = "off"  # histories begin empty
os.environ["PRUNEKIT_THREADS"] = "1"  # equal weights, whatever else this machine is doing meanwhile


@pytest.fixture(autouse=True)
def home_of_its_own(tmp_path, monkeypatch):
    """Every test has an empty home folder."""
    monkeypatch.setenv("PRUNEKIT_HOME", str(tmp_path / "home"))


def wait_for(condition, seconds: float = 60.0, what: str = "it"):
    """The first true value of `condition()`; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {seconds} seconds")


@pytest.fixture(scope="session")
def engine(tmp_path_factory):
    """A real engine in a home folder of its own, ended after the tests."""
    from prunekit.experiments.engine import Engine

    engine = Engine(tmp_path_factory.mktemp("engine-home"))
    engine.warm_up()
    wait_for(lambda: engine.status()["state"] == "ready", what="the engine's start")
    yield engine
    engine.shut_down()
