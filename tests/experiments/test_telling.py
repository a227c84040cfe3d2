"""What a worker tells the recorder is done in the order in which it was told, also when it had to wait."""

import threading

import distributed
import pytest

from prunekit.experiments import recorder, worker


@pytest.fixture
def client():
    """A scheduler and a worker of Dask in this process: the one that does what a recorder does."""
    options = {"processes": False, "n_workers": 1, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.Client(resources={"recorder": 1}, **options) as client:
        yield client


def test_what_a_busy_recorder_is_told_waits_its_turn(client, monkeypatch):
    done, free = [], threading.Event()
    monkeypatch.setattr(distributed, "get_client", lambda: client)
    work = {"rename": lambda _run: free.wait(30), "record": lambda _run, number: done.append(number)}
    for name, function in work.items():
        function.__module__ = recorder.__name__
        monkeypatch.setattr(recorder, name, function)
    worker.tell("rename", "a run")
    for number in range(20):
        worker.tell("record", "a run", number)
    free.set()
    worker.tell("record", "a run", "last", wait=True)
    assert done == [*range(20), "last"]
