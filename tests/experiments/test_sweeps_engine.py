"""Sweeps on the real engine: run in their order, stopped and resumed as a whole, and never in anybody's way."""

import time

import pytest

from prunekit.core.recipe import Recipe, Training
from prunekit.core.sweep import Sweep
from prunekit.experiments.store import Store
from prunekit.experiments.training_lane import task_key, task_states
from tests.conftest import wait_for

pytestmark = pytest.mark.engine


@pytest.fixture
def store(engine):
    return Store(engine.folder.home)


def sweep(epochs: int = 0, seeds: int = 2, amounts: tuple = (0.25,)) -> dict:
    """Magnitude and random at each amount, on the smallest sample model."""
    base = Recipe("mlp-digits", training=Training(epochs=epochs, precision="float32"))
    return Sweep(base, ("magnitude", "random"), amounts, ("channel",), tuple(range(50, 50 + seeds))).to_plain()


def states(store, sweep_id: str) -> list[str]:
    return [run.state for run in store.runs_of(sweep_id)]


def test_a_sweep_runs_in_its_order_and_a_recipe_that_was_run_is_not_run_again(engine, store):
    started = engine.start_sweep(sweep())
    assert (started["new"], started["known"]) == (4, 0)
    wait_for(lambda: set(states(store, started["id"])) == {"finished"}, 90, "the sweep's end")
    begun = [run.started for run in store.runs_of(started["id"])]
    assert begun == sorted(begun)
    more = engine.start_sweep(sweep(seeds=3))
    assert (more["new"], more["known"]) == (2, 4)
    wait_for(lambda: set(states(store, more["id"])) == {"finished"}, 90, "the larger sweep's end")


def test_hundreds_of_waiting_runs_are_stopped_and_queued_again_in_seconds_and_a_single_run_goes_first(engine, store):
    busy = engine.start_sweep(sweep(epochs=900, seeds=100))["id"]
    wait_for(lambda: "running" in states(store, busy), what="the first run")
    own = engine.start(Recipe("mlp-digits", amount=0.3, seed=77, training=Training(epochs=0)).to_plain())["id"]
    assert store.place(own) == 1
    before = time.monotonic()
    engine.stop_sweep(busy)
    wait_for(lambda: set(states(store, busy)) == {"stopped"}, 20, "the stop")
    waiting = {task_key(run) for run in store.runs_of(busy)}
    wait_for(lambda: waiting.isdisjoint(engine._client.run_on_scheduler(task_states)), 20, "their going")
    engine.resume_sweep(busy)
    assert set(states(store, busy)) <= {"queued", "running"}
    assert time.monotonic() - before < 20
    wait_for(lambda: store.run(own).state == "finished", 60, "one's own run")
    engine.stop_sweep(busy)
    wait_for(lambda: set(states(store, busy)) == {"stopped"}, 20, "the second stop")
    engine.delete_sweep(busy, with_runs=True)
    assert busy not in [one.id for one in store.sweeps()]
    assert own in [run.id for run in store.runs()]
