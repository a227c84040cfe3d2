"""A clock that is put back or jumps ahead: the queue keeps its order, and no time is negative or absurd."""

import time

import psutil
import pytest
from cryptography import x509

from prunekit.experiments import recorder
from prunekit.experiments.downloads import DOWNLOADING, look_at_download, tell_download
from prunekit.experiments.ledger import Ledger
from prunekit.experiments.processes import EngineFolder
from prunekit.experiments.runs import queue_order
from prunekit.experiments.training_lane import priority_of
from prunekit.experiments.upkeep import Upkeep
from prunekit.reports.progress import progress
from tests.recorder_alone import recorder_alone
from tests.sample_runs import START, events

HOUR, DAY = 3600.0, 86400.0
RECIPE = {"model": "lenet-fashion"}


@pytest.fixture
def clock(monkeypatch):
    """The wall clock, to be put: `clock.at = ...`."""

    class Clock:
        at = START

    monkeypatch.setattr(time, "time", lambda: Clock.at)
    return Clock


@pytest.mark.parametrize("jump", [-HOUR, DAY])
def test_runs_wait_in_the_order_in_which_they_were_asked_for(tmp_path, clock, jump):
    store = Ledger(tmp_path)
    first = store.add(RECIPE, "zzz", "t", "run")
    clock.at += jump
    second = store.add(RECIPE, "bbb", "t", "run")
    third = store.add(RECIPE, "aaa", "t", "run")
    assert [store.place(run) for run in (first, second, third)] == [0, 1, 2]
    assert [run.id for run in sorted(store.runs(), key=queue_order)] == [first, second, third]
    # Dask is given the same order, as priorities that still differ when they are a millisecond apart.
    priorities = [priority_of(run) for run in store.runs()]
    assert sorted(priorities, reverse=True) == priorities
    assert len(set(priorities)) == 3


def test_the_history_is_told_in_the_order_it_happened(tmp_path, clock):
    store = Ledger(tmp_path)
    ids = []
    for jump in (0, -HOUR, DAY):
        clock.at += jump
        ids.append(store.add(RECIPE, "abc", "t", "run"))
        store.change(ids[-1], state="finished")
    assert [run.id for run in store.runs()] == ids
    assert store.same("abc").id == ids[-1]


@pytest.mark.parametrize("jump", [-HOUR, DAY])
def test_the_time_left_is_never_negative_and_never_a_day(jump):
    told = events(epochs=6, done=3)
    put = [event | {"time": event["time"] + jump} if event.get("epoch", 0) > 1 else event for event in told]
    for now in (told[-1]["time"], told[-1]["time"] + jump):
        how_far = progress(put, batch_size=64, now=now)
        assert 0 <= how_far.seconds_left <= 30
        assert how_far.sentence().endswith(" s left")


def test_a_jump_ahead_does_not_make_a_run_look_forgotten(tmp_path, clock, monkeypatch):
    lane = recorder_alone(monkeypatch)
    keeper = Upkeep(recorder.writer)
    run_id = recorder.store().add(RECIPE, "abc", "t", "run")
    recorder.store().change(run_id, state="finished", ended=clock.at, result={"speedup": None})
    keeper.look_after(lane)
    for jump in (DAY, -2 * DAY):
        clock.at += jump
        keeper.look_after(lane)
    assert lane.timings == []


def test_the_engine_s_certificate_is_good_on_a_clock_that_is_wrong_by_years(tmp_path):
    folder = EngineFolder(tmp_path)
    folder.prepare()
    folder.make_certificates()
    certificate = x509.load_pem_x509_certificate((folder.path / "cert.pem").read_bytes())
    now = time.time()
    assert certificate.not_valid_before_utc.timestamp() < now - 365 * DAY
    assert certificate.not_valid_after_utc.timestamp() > now + 365 * DAY


@pytest.mark.parametrize("jump", [-HOUR, DAY])
def test_a_download_that_goes_on_is_not_taken_for_dead(monkeypatch, jump):
    tell_download("cifar10", DOWNLOADING, 1, 2)
    boot, began = psutil.boot_time, psutil.Process.create_time
    # psutil adds the moment of the boot, which moves with the clock.
    monkeypatch.setattr(psutil, "boot_time", lambda: boot() + jump)
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: began(self) + jump)
    assert look_at_download("cifar10").is_active
