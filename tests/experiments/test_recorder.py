"""The recorder's own rules, without an engine around it: a full disk loses nothing, a dead worker is told apart."""

import numpy as np
import pytest

from prunekit.core.errors import StoreUnavailable
from prunekit.core.recipe import Recipe
from prunekit.experiments import recorder, upkeep
from prunekit.experiments.folder import home
from prunekit.experiments.ledger import Ledger
from prunekit.experiments.store import Store
from tests.recorder_alone import recorder_alone


@pytest.fixture(autouse=True)
def lane(monkeypatch):
    """A recorder that has just started, and what it hands to the training lane."""
    return recorder_alone(monkeypatch)


@pytest.fixture
def run_id():
    return recorder.enqueue(Recipe("mlp-digits").to_plain())["id"]


EVENT = {"number": 0, "time": 1.0, "kind": "epoch", "epoch": 1}
CONTENT = np.frombuffer(b"state of the training", dtype=np.uint8)


def test_a_run_that_is_queued_is_handed_to_the_training_lane(run_id, lane):
    assert lane.order == [f"run-{run_id}-0"]


def test_with_a_full_disk_no_run_is_begun_and_the_sentence_says_what_to_do(monkeypatch):
    monkeypatch.setattr(recorder, "free_bytes", lambda _folder: 1000)
    with pytest.raises(StoreUnavailable, match="disk is full; free some space"):
        recorder.enqueue(Recipe("mlp-digits").to_plain())
    assert Store(home()).runs() == []


def test_what_could_not_be_written_is_written_as_soon_as_there_is_room(run_id, monkeypatch):
    recorder.begin(run_id, 0)
    full = StoreUnavailable("The disk is full.")
    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "add_events", lambda *_args: (_ for _ in ()).throw(full))
        patched.setattr(Ledger, "change", lambda *_args, **_values: (_ for _ in ()).throw(full))
        recorder.record(run_id, 0, [EVENT])
        recorder.finish(run_id, 0, "finished", {"test_finetuned": 0.9}, None)
    assert Store(home()).run(run_id).state == "running"
    recorder.writer.write_again()
    run = Store(home()).run(run_id)
    assert (run.state, run.result) == ("finished", {"test_finetuned": 0.9})
    assert [e["epoch"] for e in Store(home()).events(run_id)] == [1]


def test_an_attempt_that_begins_twice_is_that_of_a_worker_that_died(run_id):
    assert recorder.begin(run_id, 0)["go"] is True
    assert recorder.begin(run_id, 0) == {"go": False}
    run = Store(home()).run(run_id)
    assert run.state == "interrupted"
    assert "worker died" in run.error


def test_a_resumed_run_is_a_new_attempt_and_the_old_one_has_nothing_more_to_say(run_id):
    recorder.begin(run_id, 0)
    recorder.finish(run_id, 0, "stopped", None, None)
    recorder.resume(run_id)
    assert recorder.begin(run_id, 0) == {"go": False}
    recorder.finish(run_id, 0, "failed", None, "from long ago")
    assert Store(home()).run(run_id).state == "queued"
    assert recorder.begin(run_id, 1)["go"] is True


def test_a_finished_run_is_timed_after_everything_that_trains(run_id, lane):
    recorder.begin(run_id, 0)
    recorder.finish(run_id, 0, "finished", {"speedup": None}, None)
    assert lane.timings == [run_id]
    recorder.timed(run_id, {"speedup": 1.5})
    assert Store(home()).run(run_id).result == {"speedup": 1.5}


def test_a_checkpoint_is_kept_whole_and_given_back(run_id):
    recorder.keep(run_id, 0, {"checkpoint.npz": CONTENT})
    assert recorder.begin(run_id, 0)["checkpoint"].tobytes() == b"state of the training"


def test_what_the_worker_of_a_deleted_run_still_had_to_say_makes_no_folder(run_id):
    recorder.begin(run_id, 0)
    recorder.keep(run_id, 0, {"checkpoint.npz": CONTENT})
    recorder.finish(run_id, 0, "stopped", None, None)
    recorder.delete(run_id)
    recorder.keep(run_id, 0, {"checkpoint.npz": CONTENT})
    assert not Store(home()).files(run_id).exists()


def test_a_worker_is_hired_for_a_timing_that_has_lost_its_own(lane):
    keeper = upkeep.Upkeep(recorder.writer)
    keeper.look_after(lane)
    assert lane.hired == 0
    lane.states = {"timing-abc-1": "no-worker"}
    keeper.look_after(lane)
    assert lane.hired == 1


def test_a_finished_run_that_was_never_timed_is_timed_once_more(run_id, lane, monkeypatch):
    recorder.begin(run_id, 0)
    recorder.finish(run_id, 0, "finished", {"speedup": None}, None)
    lane.timings.clear()
    keeper = upkeep.Upkeep(recorder.writer)
    keeper.look_after(lane)
    assert lane.timings == []
    monkeypatch.setattr(upkeep, "FORGOTTEN_SECONDS", 0)
    keeper.look_after(lane)
    keeper.look_after(lane)
    assert lane.timings == [run_id]
