"""The real engine: answers, runs, stopping, and what happens when its processes are killed."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from prunekit.core.cuts import Cut
from prunekit.core.errors import BadSetting, UnknownName
from prunekit.core.recipe import Recipe, Training
from prunekit.experiments.engine import Engine, Pending
from prunekit.experiments.store import Store
from tests.conftest import wait_for

pytestmark = pytest.mark.engine

ANSWERS = "prunekit.experiments.answers"


def recipe(epochs: int = 1, seed: int = 0, **changes) -> dict:
    """A recipe on the smallest sample model; a quick one, unless it is given many epochs."""
    training = Training(epochs=epochs, precision="float32")
    return Recipe("mlp-digits", amount=0.25, seed=seed, training=training, **changes).to_plain()


@pytest.fixture
def store(engine):
    return Store(engine.folder.home)


def answered(engine, name: str, *args, **options):
    """The answer, waited for."""

    def ask():
        answer = engine.ask(f"{ANSWERS}:{name}", *args, **options)
        return None if isinstance(answer, Pending) else [answer]

    return wait_for(ask, what=name)[0]


def ended(store, run_id: str, seconds: float = 90):
    return wait_for(lambda: (r := store.run(run_id)).is_over and r, seconds, f"the end of {run_id}")


def running(store, run_id: str, epochs: int = 1):
    """Waits until a run has finished some epochs."""
    return wait_for(lambda: len(store.events(run_id, ("epoch",))) >= epochs, what=f"epoch {epochs} of {run_id}")


def processes(engine, lane: str) -> list[psutil.Process]:
    """The processes of a lane: nanny and worker, or the scheduler."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        mine = str(engine.folder.path) in " ".join(words)
        named = "--name" in words and words[words.index("--name") + 1] == lane
        if mine and (named or (lane == "scheduler" and "scheduler" in words)):
            found += [process, *process.children(recursive=True)]
    return found


def workers(engine, lane: str) -> list[psutil.Process]:
    """The worker of a lane, without its nanny and without what it started itself."""
    nanny, *children = processes(engine, lane)
    return [p for p in children if p.ppid() == nanny.pid and "spawn_main" in " ".join(p.cmdline())]


def kill(found: list[psutil.Process]) -> None:
    assert found, "there is nothing to kill"
    for process in found:
        with contextlib.suppress(psutil.NoSuchProcess):
            os.kill(process.pid, signal.SIGKILL)


# -- answers ----------------------------------------------------------------------------------------------------


def test_an_answer_comes_back_as_plain_values(engine):
    preview = answered(
        engine, "preview", "mlp-digits", "magnitude", {"p": 1}, "channel", 0, 64,
        Cut(0.25).to_plain(), lane="preview",
    )  # fmt: skip
    assert preview["metric"] == "accuracy"
    assert preview["low"] <= preview["value"] <= preview["high"]
    assert preview["sparsity"] == pytest.approx(0.25, abs=0.01)


def test_an_answer_is_remembered_by_the_next_server(engine):
    asked = ("exploration", "mlp-digits", "random", {}, "channel", 3, 64)
    first = answered(engine, *asked)
    other = Engine(engine.folder.home)
    other.enabled = False  # it cannot compute: what it knows comes from disk
    again = other.ask(f"{ANSWERS}:{asked[0]}", *asked[1:])
    assert again["table"]["names"] == first["table"]["names"]


def test_a_question_never_blocks_longer_than_its_patience(engine):
    started = time.monotonic()
    answer = engine.ask(f"{ANSWERS}:exploration", "lenet-fashion", "taylor", {}, "weight", 77, 2000, patience=0.02)
    assert isinstance(answer, Pending)
    assert time.monotonic() - started < 0.5


def test_what_the_work_refuses_arrives_as_the_same_error_in_one_sentence(engine):
    with pytest.raises(UnknownName, match="no-such-criterion"):
        answered(engine, "exploration", "mlp-digits", "no-such-criterion", {}, "channel", 0, 64)


def test_only_listed_modules_can_be_called(engine):
    with pytest.raises(Exception, match="does not know"):
        wait_for(lambda: engine.ask("os:getcwd"))


# -- who listens ------------------------------------------------------------------------------------------------


def test_every_socket_of_the_engine_listens_on_the_loopback_address_only(engine):
    listening = []
    for lane in ("scheduler", "recorder", "answers"):
        for process in processes(engine, lane):
            listening += [c for c in process.net_connections("inet") if c.status == psutil.CONN_LISTEN]
    assert len(listening) >= 3
    assert {c.laddr.ip for c in listening} == {"127.0.0.1"}


def test_a_client_without_the_certificate_is_refused(engine):
    from distributed import Client

    plain = engine.folder.address().replace("tls://", "tcp://")
    with pytest.raises((OSError, TimeoutError)):
        Client(plain, timeout=2, set_as_default=False)
    host, port = plain.removeprefix("tcp://").rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=5) as bare:
        bare.sendall(b"hello there, let me in please")
        bare.settimeout(5)
        # A TLS alert, or a closed connection: never an answer.
        with contextlib.suppress(ConnectionResetError):
            assert not bare.recv(100).startswith(b"\x00")


def test_the_credentials_are_readable_by_their_owner_alone(engine):
    assert engine.folder.path.stat().st_mode & 0o077 == 0
    assert all((engine.folder.path / f"{part}.pem").stat().st_mode & 0o077 == 0 for part in ("ca", "cert", "key"))


def test_a_second_server_joins_the_first_one_s_engine(engine):
    second = Engine(engine.folder.home)
    second.warm_up()
    wait_for(lambda: second.status()["state"] == "ready", what="joining")
    assert second.folder.address() == engine.folder.address()
    assert len([p for p in processes(engine, "scheduler") if "scheduler" in p.cmdline()]) == 1
    second.close()


def test_a_scheduler_that_is_held_up_is_waited_for_and_gets_no_second_one_beside_it(engine):
    (scheduler,) = (p for p in processes(engine, "scheduler") if "scheduler" in p.cmdline())
    second = Engine(engine.folder.home)
    scheduler.suspend()
    try:
        second.warm_up()
        time.sleep(5)
        assert second.status()["state"] == "starting"
    finally:
        scheduler.resume()
    wait_for(lambda: second.status()["state"] == "ready", what="joining")
    assert [p.pid for p in processes(engine, "scheduler") if "scheduler" in p.cmdline()] == [scheduler.pid]
    second.close()


def test_a_lane_that_is_killed_with_its_nanny_comes_back(engine):
    kill(processes(engine, "answers"))
    wait_for(lambda: engine.status()["state"] != "ready", 30, "noticing")
    wait_for(lambda: engine.status()["state"] == "ready", 90, "coming back")


# -- runs -------------------------------------------------------------------------------------------------------


def test_a_run_goes_from_the_queue_to_its_figures(engine, store):
    started = engine.start(recipe(epochs=2))
    assert started["known"] is False
    run = ended(store, started["id"])
    assert run.state == "finished", run.error
    assert [e["epoch"] for e in store.events(run.id, ("epoch",))] == [1, 2]
    assert run.result["parameters_after"] < run.result["parameters_before"]
    assert (store.files(run.id) / "weights.safetensors").is_file()
    timed = wait_for(lambda: store.run(run.id).result["speedup"], what="the timing")
    assert timed > 0


def test_the_same_recipe_is_shown_and_not_run_again(engine, store):
    first = engine.start(recipe(epochs=1, seed=5))
    ended(store, first["id"])
    again = engine.start(recipe(epochs=1, seed=5))
    assert again == {"id": first["id"], "known": True, "state": "finished"}
    other_seed = engine.start(recipe(epochs=1, seed=6))
    assert other_seed["known"] is False


def test_a_recipe_that_makes_no_sense_is_refused_before_it_is_queued(engine, store):
    before = len(store.runs())
    with pytest.raises(BadSetting, match="between 0 and 1, not 2"):
        engine.start(recipe() | {"amount": 2})
    assert len(store.runs()) == before


def test_a_run_stops_within_two_seconds_keeps_its_epochs_and_can_be_resumed(engine, store):
    run_id = engine.start(recipe(epochs=400, seed=7))["id"]
    running(store, run_id, 2)
    asked = time.monotonic()
    engine.stop(run_id)
    run = ended(store, run_id, 2.0 - (time.monotonic() - asked))
    assert run.state == "stopped"
    done = len(store.events(run_id, ("epoch",)))
    assert done >= 2
    engine.resume(run_id)
    wait_for(lambda: len(store.events(run_id, ("epoch",))) > done, what="going on")
    told = store.events(run_id, ("epoch",))
    assert [e["epoch"] for e in told[: done + 1]] == list(range(1, done + 2))  # not again from the beginning
    engine.stop(run_id)
    assert ended(store, run_id).state == "stopped"


def test_a_queued_run_waits_its_turn_and_can_be_taken_out(engine, store):
    first = engine.start(recipe(epochs=400, seed=8))["id"]
    second = engine.start(recipe(epochs=1, seed=9))["id"]
    running(store, first)
    assert (store.run(second).state, store.place(second)) == ("queued", 1)
    engine.stop(second)
    assert store.run(second).state == "stopped"
    engine.stop(first)
    assert ended(store, first).state == "stopped"
    with pytest.raises(BadSetting):
        engine.resume(first) or engine.delete(first)
    engine.stop(first)
    ended(store, first)


def test_a_run_can_be_renamed_and_deleted(engine, store):
    run_id = engine.start(recipe(epochs=1, seed=10))["id"]
    ended(store, run_id)
    engine.rename(run_id, "  my best one ")
    assert store.run(run_id).title == "my best one"
    engine.delete(run_id)
    with pytest.raises(UnknownName):
        store.run(run_id)
    assert not store.files(run_id).exists()


def test_a_run_goes_on_when_the_server_is_killed(engine, store, tmp_path):
    code = """
import sys, time
from prunekit.experiments.engine import Engine
from tests.experiments.test_engine import recipe
engine = Engine(sys.argv[1])
print(engine.start(recipe(epochs=150, seed=11))["id"], flush=True)
time.sleep(60)
"""
    root = Path(__file__).resolve().parents[2]
    environment = os.environ | {"PYTHONPATH": str(root)}
    words = [sys.executable, "-c", code, str(engine.folder.home)]
    server = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment)
    run_id = server.stdout.readline().strip()
    running(store, run_id)
    server.kill()
    server.wait()
    assert ended(store, run_id).state == "finished"
    assert len(store.events(run_id, ("epoch",))) == 150


def test_a_worker_that_is_killed_is_reported_and_the_next_run_starts(engine, store):
    doomed = engine.start(recipe(epochs=900, seed=12))["id"]
    following = engine.start(recipe(epochs=1, seed=13))["id"]
    running(store, doomed, 2)
    kept = len(store.events(doomed, ("epoch",)))
    kill(workers(engine, "training"))
    run = ended(store, doomed)
    assert run.state == "interrupted"
    assert "worker died" in run.error
    assert len(store.events(doomed, ("epoch",))) >= kept
    assert ended(store, following).state == "finished"


def test_no_epoch_is_lost_when_the_recorder_is_killed(engine, store):
    run_id = engine.start(recipe(epochs=200, seed=14))["id"]
    running(store, run_id, 2)
    kill(workers(engine, "recorder"))
    run = ended(store, run_id)
    assert run.state == "finished", run.error
    assert [e["epoch"] for e in store.events(run_id, ("epoch",))] == list(range(1, 201))


def test_workers_whose_scheduler_is_gone_end_by_themselves(tmp_path):
    engine = Engine(tmp_path / "home")
    engine.warm_up()
    wait_for(lambda: engine.status()["state"] == "ready", what="the engine's start")
    engine.enabled = False  # nobody starts it again
    kill(processes(engine, "scheduler"))
    wait_for(lambda: not processes(engine, "answers") and not processes(engine, "recorder"), 60, "their end")


def test_an_engine_that_is_gone_is_started_again_and_its_run_says_so(tmp_path):
    engine = Engine(tmp_path / "home")
    store = Store(tmp_path / "home")
    try:
        cut_off = engine.start(recipe(epochs=900))["id"]
        waiting = engine.start(recipe(epochs=1, seed=1))["id"]
        running(store, cut_off)
        kill([p for lane in ("scheduler", "recorder", "answers", "training") for p in processes(engine, lane)])
        # Any page that is open asks again and again, and so starts the engine anew.
        wait_for(lambda: engine.warm_up() or store.run(cut_off).is_over, 90, "noticing")
        run = store.run(cut_off)
        assert run.state == "interrupted"
        assert ended(store, waiting).state == "finished"
    finally:
        engine.shut_down()
