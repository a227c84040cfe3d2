"""The recorder's rules for sweeps: what waits behind whom, and what stopping and resuming as a whole touches."""

import pytest

from prunekit.core.errors import BadSetting, StoreUnavailable
from prunekit.core.recipe import Recipe, Training
from prunekit.core.sweep import Sweep
from prunekit.experiments import recorder
from prunekit.experiments.folder import home
from prunekit.experiments.ledger import Ledger
from prunekit.experiments.runs import queue_order
from prunekit.experiments.store import Store
from prunekit.experiments.upkeep import Upkeep
from tests.recorder_alone import recorder_alone

BASE = Recipe("mlp-digits", training=Training(epochs=1))


@pytest.fixture(autouse=True)
def lane(monkeypatch):
    return recorder_alone(monkeypatch)


def plan(*amounts: float, **changes) -> dict:
    """Magnitude and random at each amount."""
    sweep = {"scorers": ("magnitude", "random"), "granularities": ("channel",), "seeds": (0,)} | changes
    return Sweep(BASE, amounts=amounts or (0.5,), **sweep).to_plain()


def own(amount: float, scorer: str = "magnitude", role: str = "run") -> str:
    return recorder.enqueue(BASE.with_(scorer=scorer, amount=amount).to_plain(), role)["id"]


def states(sweep_id: str) -> list[str]:
    return [run.state for run in Store(home()).runs_of(sweep_id)]


def finish(run_id: str, state: str = "finished") -> None:
    assert recorder.begin(run_id, Store(home()).run(run_id).attempt)["go"]
    recorder.finish(run_id, Store(home()).run(run_id).attempt, state, {} if state == "finished" else None, None)


def test_a_sweep_is_handed_over_in_the_order_of_its_plan_and_counts_what_is_new(lane):
    started = recorder.start_sweep(plan(0.3, 0.5))
    assert (started["new"], started["known"]) == (4, 0)
    ids = [run.id for run in Store(home()).runs_of(started["id"])]
    assert lane.order == [f"run-{run_id}-0" for run_id in ids]


def test_the_same_sweep_again_starts_nothing(lane):
    first = recorder.start_sweep(plan(0.3))
    assert recorder.start_sweep(plan(0.3)) == {"id": first["id"], "new": 0, "known": 2}
    assert len(lane.waiting) == 2


def test_a_run_that_somebody_asks_for_later_goes_before_the_whole_sweep(lane):
    recorder.start_sweep(plan(0.3, 0.5))
    mine = own(0.9)
    control = own(0.9, "random", "control")
    assert lane.order[:2] == [f"run-{mine}-0", f"run-{control}-0"]
    assert [r.id for r in sorted(Store(home()).runs(), key=queue_order)][:2] == [mine, control]


def test_a_run_of_a_sweep_that_somebody_asks_for_becomes_theirs_and_waits_no_longer_behind_it(lane):
    sweep = recorder.start_sweep(plan(0.3, 0.5, 0.7))["id"]
    mine = own(0.7)
    assert Store(home()).run(mine).role == "run"
    assert lane.order[0] == f"run-{mine}-1"
    assert len(lane.waiting) == 6
    recorder.stop_sweep(sweep)
    assert Store(home()).run(mine).state == "queued"
    assert states(sweep).count("stopped") == 5
    assert recorder.begin(mine, 0) == {"go": False}  # the task of the first attempt may still come through
    assert recorder.begin(mine, 1)["go"] is True


def test_stopping_stops_what_waits_and_what_runs_but_not_what_somebody_asked_for_before(lane):
    mine = own(0.3)
    sweep = recorder.start_sweep(plan(0.3, 0.5))["id"]
    running = Store(home()).runs_of(sweep)[1].id
    recorder.begin(running, 0)
    recorder.stop_sweep(sweep)
    assert states(sweep) == ["queued", "stopping", "stopped", "stopped"]
    assert lane.stopped == [running]
    assert set(lane.waiting) == {f"run-{mine}-0", f"run-{running}-0"}


def test_a_run_that_two_sweeps_wait_for_is_stopped_with_the_second_of_them():
    one, two = (recorder.start_sweep(plan(0.3, amount))["id"] for amount in (0.5, 0.7))
    recorder.stop_sweep(one)
    assert states(one) == ["queued", "queued", "stopped", "stopped"]
    recorder.stop_sweep(two)
    assert states(one) == states(two) == ["stopped"] * 4


def test_resuming_queues_what_was_stopped_or_failed_and_leaves_what_is_finished(lane):
    sweep = recorder.start_sweep(plan(0.3, 0.5))["id"]
    done, failed, *_ = [run.id for run in Store(home()).runs_of(sweep)]
    finish(done)
    finish(failed, "failed")
    recorder.stop_sweep(sweep)
    lane.waiting.clear()
    recorder.resume_sweep(sweep)
    assert states(sweep) == ["finished", "queued", "queued", "queued"]
    assert lane.order == [f"run-{run.id}-1" for run in Store(home()).runs_of(sweep)[1:]]
    assert Store(home()).sweep(sweep).stopped is False


def test_resuming_takes_along_what_is_just_being_stopped(lane):
    sweep_id = recorder.start_sweep(plan(0.3))["id"]
    first = Store(home()).runs_of(sweep_id)[0].id
    recorder.begin(first, 0)
    recorder.stop_sweep(sweep_id)
    assert states(sweep_id) == ["stopping", "stopped"]
    recorder.resume_sweep(sweep_id)
    recorder.finish(first, 0, "stopped", None, None)  # the attempt that was stopped says so only now
    assert states(sweep_id) == ["queued", "queued"]
    assert f"run-{first}-1" in lane.waiting


def test_two_hundred_waiting_runs_are_stopped_and_queued_again_with_a_few_statements(monkeypatch):
    sweep = recorder.start_sweep(plan(0.5, seeds=tuple(range(100))))["id"]
    statements = []
    writing = Ledger._write
    monkeypatch.setattr(Ledger, "_write", lambda self: statements.append(1) or writing(self))
    recorder.stop_sweep(sweep)
    assert states(sweep) == ["stopped"] * 200
    recorder.resume_sweep(sweep)
    assert states(sweep) == ["queued"] * 200
    assert len(statements) < 10


def test_an_engine_that_came_back_queues_all_that_waited(lane):
    sweep = recorder.start_sweep(plan(0.3, 0.5))["id"]
    lane.waiting.clear()
    Upkeep(recorder.writer).look_after(lane)
    assert lane.order == [f"run-{run.id}-1" for run in Store(home()).runs_of(sweep)]
    Upkeep(recorder.writer).look_after(lane)
    assert {run.attempt for run in Store(home()).runs_of(sweep)} == {1}


def test_a_sweep_is_deleted_when_it_is_over_and_its_runs_only_if_asked():
    mine = own(0.3)
    sweep = recorder.start_sweep(plan(0.3, 0.5))["id"]
    with pytest.raises(BadSetting, match="stop it first"):
        recorder.delete_sweep(sweep)
    recorder.stop_sweep(sweep)
    kept = recorder.start_sweep(plan(0.5))["id"]
    recorder.delete_sweep(sweep, True)
    assert [one.id for one in Store(home()).sweeps()] == [kept]
    # One's own run stays, and so do those of the other sweep; the random control of the first amount was nobody's.
    assert {run.id for run in Store(home()).runs()} >= {mine, *(r.id for r in Store(home()).runs_of(kept))}
    assert not [r for r in Store(home()).runs() if r.recipe["amount"] == 0.3 and r.recipe["scorer"] == "random"]


def test_a_deleted_sweep_leaves_its_runs_in_the_history():
    sweep = recorder.start_sweep(plan(0.3))["id"]
    recorder.stop_sweep(sweep)
    recorder.delete_sweep(sweep)
    assert len(Store(home()).runs()) == 2


def test_a_sweep_is_called_what_people_call_it():
    sweep = recorder.start_sweep(plan(0.3))["id"]
    recorder.rename_sweep(sweep, "  for the talk ")
    assert Store(home()).sweep(sweep).title == "for the talk"
    with pytest.raises(BadSetting, match="needs a name"):
        recorder.rename_sweep(sweep, " ")


def test_with_a_full_disk_no_sweep_is_begun(monkeypatch):
    monkeypatch.setattr(recorder, "free_bytes", lambda _folder: 1000)
    with pytest.raises(StoreUnavailable, match="disk is full"):
        recorder.start_sweep(plan(0.3))
    assert Store(home()).sweeps() == []


def test_a_plan_that_makes_no_sense_is_refused_before_anything_is_queued():
    with pytest.raises(BadSetting, match="between 0 and 1, not 2"):
        recorder.start_sweep(plan(0.3) | {"amounts": [0.3, 2]})
    assert Store(home()).runs() == []
