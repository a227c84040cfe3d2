"""kill -9 in the middle of a run: no finished epoch is lost, no state is false, the weights are a quiet run's."""

import json
import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from prunekit.core.recipe import Recipe, Training
from prunekit.experiments.engine import Engine
from prunekit.experiments.store import Store
from prunekit.reports.progress import curves
from tests.conftest import wait_for
from tests.experiments.test_engine import kill, processes, running, workers

pytestmark = pytest.mark.engine

EPOCHS = 6
# Two images a step: epochs of the smallest model that take long enough to be killed in.
TRAINING = Training(epochs=EPOCHS, batch_size=2, precision="float32")
RECIPE = Recipe("mlp-digits", amount=0.25, seed=3, training=TRAINING).to_plain()
SERVER = """
import json, sys, time
from prunekit.experiments.engine import Engine
print(Engine(sys.argv[1]).start(json.loads(sys.argv[2]), again=True)["id"], flush=True)
time.sleep(300)
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """An engine of its own, since it is killed again and again; one thread a run, so that runs can be compared."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PRUNEKIT_THREADS", "1")
        engine = Engine(tmp_path_factory.mktemp("shaken"))
        try:
            wait_for(lambda: engine.warm_up() or engine.status()["state"] == "ready", 120, "the engine's start")
            yield engine
        finally:
            engine.shut_down()


@pytest.fixture
def other(engine):
    """A second server's hold on the same engine."""
    second = Engine(engine.folder.home)
    second.warm_up()
    wait_for(lambda: second.status()["state"] == "ready", what="joining")
    yield second
    second.close()


def other_store(server) -> Store:
    return Store(server.folder.home)


@pytest.fixture(scope="module")
def store(engine):
    return Store(engine.folder.home)


@pytest.fixture(scope="module")
def quiet(engine, store):
    """The id of a run that nothing disturbs."""
    run_id = engine.start(RECIPE, again=True)["id"]
    assert over(engine, store, run_id).state == "finished", store.run(run_id).error
    return run_id


def over(engine, store, run_id: str):
    """The run when it is over; an open page asks for the engine all the while, as this does."""
    return wait_for(lambda: engine.warm_up() or ((r := store.run(run_id)).is_over and r), 240, f"the end of {run_id}")


def weights(store, run_id: str) -> bytes:
    return (store.files(run_id) / "weights.safetensors").read_bytes()


def curve(store, run_id: str) -> list:
    """What the page draws of a run: loss and metric of each epoch, of all attempts together."""
    drawn = curves(store.events(run_id))
    return [drawn.epoch_loss, drawn.train, drawn.validation]


def epochs(store, run_id: str) -> list[int]:
    return [event["epoch"] for event in store.events(run_id, ("epoch",))]


def where_it_went_on(store, run_id: str) -> tuple[int, int]:
    """The last epoch of the first attempt, and the first one of the second."""
    events = store.events(run_id, ("epoch",))
    first, second = ([e["epoch"] for e in events if e["attempt"] == attempt] for attempt in (0, 1))
    return first[-1], second[0]


def recorder_alone(engine) -> list[psutil.Process]:
    """The recorder and its nanny, without the training lane, which the recorder has started."""
    return [p for p in processes(engine, "recorder") if "training" not in p.cmdline()][:1] + workers(engine, "recorder")


def engine_whole(engine) -> list[psutil.Process]:
    return [p for lane in ("scheduler", "recorder", "answers", "training") for p in processes(engine, lane)]


def in_epoch_two(store, run_id: str) -> list[int]:
    running(store, run_id, 1)
    return epochs(store, run_id)


def ends_like_the_quiet_one(engine, store, run_id: str, quiet: str) -> None:
    assert weights(store, run_id) == weights(store, quiet)
    assert curve(store, run_id) == curve(store, quiet)
    assert len([p for p in processes(engine, "recorder") if "recorder" in p.cmdline()]) == 1


CUT_OFF = {
    "the training worker": lambda engine: workers(engine, "training"),
    "the training worker with its nanny": lambda engine: processes(engine, "training"),
    "the recorder and then the training worker": lambda engine: (
        workers(engine, "recorder") + workers(engine, "training")
    ),
    "the scheduler": lambda engine: [p for p in processes(engine, "scheduler") if "scheduler" in p.cmdline()],
}
UNTOUCHED = {
    "the recorder with its nanny": recorder_alone,
    "the answers worker with its nanny": lambda engine: processes(engine, "answers"),
}


@pytest.mark.parametrize("killed", CUT_OFF)
def test_a_run_that_is_cut_off_says_so_and_resumed_it_ends_with_the_same_weights(engine, store, quiet, killed):
    run_id = engine.start(RECIPE, again=True)["id"]
    done = in_epoch_two(store, run_id)
    kill(CUT_OFF[killed](engine))
    run = over(engine, store, run_id)
    assert run.state == "interrupted"
    assert run.error.endswith(".")
    assert epochs(store, run_id)[: len(done)] == done
    engine.resume(run_id)
    assert over(engine, store, run_id).state == "finished"
    last, first = where_it_went_on(store, run_id)
    assert first == last + 1
    ends_like_the_quiet_one(engine, store, run_id, quiet)


@pytest.mark.parametrize("killed", UNTOUCHED)
def test_a_run_goes_on_when_others_are_killed_and_two_servers_start_them_once(engine, other, store, quiet, killed):
    run_id = engine.start(RECIPE, again=True)["id"]
    in_epoch_two(store, run_id)
    kill(UNTOUCHED[killed](engine))
    run = over(engine, store, run_id)
    assert (run.state, run.attempt) == ("finished", 0)
    assert epochs(store, run_id) == list(range(1, EPOCHS + 1))
    ends_like_the_quiet_one(engine, store, run_id, quiet)
    wait_for(lambda: engine.warm_up() or engine.status()["state"] == "ready", what="the engine, whole again")


def test_a_history_that_is_locked_in_the_middle_of_a_run_is_told_and_loses_nothing(engine, store, quiet):
    run_id = engine.start(RECIPE, again=True)["id"]
    in_epoch_two(store, run_id)
    program = sqlite3.connect(store.path, isolation_level=None)
    program.execute("begin exclusive")
    try:
        trouble = wait_for(lambda: engine.status()["trouble"], what="the sentence")
    finally:
        program.close()
    assert trouble == "The run history is locked by another program; close it and try again."
    assert over(engine, store, run_id).state == "finished"
    assert epochs(store, run_id) == list(range(1, EPOCHS + 1))
    assert weights(store, run_id) == weights(store, quiet)
    wait_for(lambda: engine.status()["trouble"] is None, what="the end of the trouble")


def test_two_presses_on_start_at_one_moment_on_two_servers_make_one_run(engine, other, store):
    recipe = RECIPE | {"seed": 4}
    with ThreadPoolExecutor(2) as both:
        first, second = both.map(lambda server: server.start(recipe), (engine, other))
    assert first["id"] == second["id"]
    assert sorted([first["known"], second["known"]]) == [False, True]
    assert [run.id for run in other_store(other).runs() if run.recipe["seed"] == 4] == [first["id"]]
    engine.stop(first["id"])
    over(engine, store, first["id"])


def test_a_clock_that_jumps_makes_no_worker_look_dead(engine):
    # Dask compares the wall clock with the last heartbeat, and would start all workers again after a long sleep.
    engine.warm_up()
    wait_for(lambda: engine.status()["state"] == "ready", what="the engine")
    assert engine._client.run_on_scheduler(_time_to_live) is None


def _time_to_live(dask_scheduler):
    return dask_scheduler.worker_ttl


def test_everything_killed_at_once_loses_no_finished_epoch(engine, store, quiet):
    root = str(Path(__file__).resolve().parents[2])
    words = [sys.executable, "-c", SERVER, str(engine.folder.home), json.dumps(RECIPE)]
    server = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": root})
    run_id = server.stdout.readline().strip()
    done = in_epoch_two(store, run_id)
    kill([psutil.Process(server.pid), *engine_whole(engine)])
    server.wait()
    assert store.run(run_id).state == "running"  # there is nobody left who could say otherwise
    run = over(engine, store, run_id)
    assert run.state == "interrupted"
    assert epochs(store, run_id)[: len(done)] == done
    engine.resume(run_id)
    assert over(engine, store, run_id).state == "finished"
    last, first = where_it_went_on(store, run_id)
    assert first in (last, last + 1)  # the recorder may have died between an epoch and its checkpoint
    ends_like_the_quiet_one(engine, store, run_id, quiet)
