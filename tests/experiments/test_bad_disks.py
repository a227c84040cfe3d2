"""A full disk, a locked or a damaged history: one sentence that says what to do, and nothing is lost."""

import contextlib
import dataclasses
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from prunekit.core.errors import BadSetting, EngineUnavailable, StoreUnavailable
from prunekit.core.recipe import Recipe, Training
from prunekit.core.sweep import Sweep
from prunekit.experiments import recorder, recovery, worker
from prunekit.experiments.cache import AnswerCache
from prunekit.experiments.engine import Engine
from prunekit.experiments.folder import home
from prunekit.experiments.ledger import Ledger
from prunekit.experiments.processes import EngineFolder
from prunekit.experiments.store import Store
from prunekit.experiments.upkeep import Upkeep
from prunekit.pruning.loop import execute
from tests.recorder_alone import recorder_alone, told_at_once

RECIPE = Recipe("mlp-digits", amount=0.25, training=Training(epochs=1, precision="float32")).to_plain()
CHECKPOINT = np.arange(300_000, dtype=np.uint8)


@pytest.fixture(autouse=True)
def keeper(monkeypatch):
    """What looks after the runs of a recorder that has just started, in this process, with short waits for locks."""
    lane = recorder_alone(monkeypatch)
    for kind in (Store, Ledger):
        monkeypatch.setattr(kind, "_patience", 0.1)
    keeper = Upkeep(recorder.writer)
    keeper.look = lambda: keeper.look_after(lane)
    return keeper


@pytest.fixture
def begun() -> str:
    """A run in its first epoch."""
    run_id = recorder.enqueue(RECIPE)["id"]
    recorder.begin(run_id, 0, "a worker", 1)
    recorder.record(run_id, 0, [epoch(1)])
    return run_id


def epoch(number: int) -> dict:
    return {"number": number, "time": float(number), "kind": "epoch", "epoch": number}


def epochs(run_id: str) -> list[int]:
    return [event["epoch"] for event in Store(home()).events(run_id, ("epoch",))]


# -- a full disk ------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path, monkeypatch):
    """The home folder on a disk of 4 MB; a function that fills it but for some bytes, and one that empties it again."""
    folder = tmp_path / "small"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if os.name == "nt" or shutil.which("mount") is None or subprocess.run(words, capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    monkeypatch.setenv("PRUNEKIT_HOME", str(folder / "home"))
    monkeypatch.setattr(recorder, "ROOM_BYTES", 0)
    filling = folder / "filling"

    class Disk:
        @staticmethod
        def fill(but: int = 0) -> None:
            with filling.open("wb", buffering=0) as file, contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * 4096)
            if but:
                Disk.empty(but)

        @staticmethod
        def empty(some: int) -> None:
            os.truncate(filling, filling.stat().st_size - some)

        @staticmethod
        def free() -> None:
            filling.unlink()

    yield Disk
    recorder.writer.close()
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_what_is_told_while_the_disk_is_full_is_written_when_there_is_room(small_disk, begun, keeper):
    small_disk.fill()
    recorder.keep(begun, 0, {"checkpoint.npz": CHECKPOINT}, [epoch(2) | {"filler": "x" * 100_000}])
    recorder.finish(begun, 0, "finished", {"test_finetuned": 0.9}, None)
    keeper.look()
    assert recorder.writer.trouble == "The disk is full; free some space and try again. Finished epochs are kept."
    assert Store(home()).run(begun).state == "running"
    assert epochs(begun) == [1]
    assert not list(Store(home()).files(begun).glob(".*"))  # half a file would only take room
    small_disk.free()
    keeper.look()
    assert recorder.writer.trouble is None
    assert epochs(begun) == [1, 2]
    assert Store(home()).run(begun).state == "finished"


def test_of_checkpoints_that_wait_for_room_the_newest_is_written_whole(small_disk, begun, keeper):
    small_disk.fill()
    for number in (2, 3, 4):
        recorder.keep(begun, 0, {"checkpoint.npz": CHECKPOINT + number}, [epoch(number)])
    assert [function for function, _args in recorder.writer._waiting].count(recorder._keep) == 1
    small_disk.free()
    keeper.look()
    kept = (Store(home()).files(begun) / "checkpoint.npz").read_bytes()
    assert kept == (CHECKPOINT + 4).tobytes()
    assert epochs(begun) == [1, 2, 3, 4]


def test_a_checkpoint_that_waits_for_room_is_written_before_its_run_is_gone_on_from(small_disk, begun, keeper):
    recorder.keep(begun, 0, {"checkpoint.npz": CHECKPOINT}, [epoch(2)])
    small_disk.fill()
    recorder.keep(begun, 0, {"checkpoint.npz": CHECKPOINT + 3})
    small_disk.empty(40_000)  # the history has room again, a checkpoint has not
    recorder.begin(begun, 0, "another worker", 1)
    assert Store(home()).run(begun).state == "interrupted"
    with pytest.raises(StoreUnavailable, match="disk is full"):
        recorder.resume(begun)
    assert Store(home()).run(begun).state == "interrupted"
    small_disk.free()
    recorder.resume(begun)
    kept = recorder.begin(begun, 1, "another worker", 1)["checkpoint"]
    assert kept.tobytes() == (CHECKPOINT + 3).tobytes()


def test_an_engine_that_keeps_something_for_later_does_not_end_for_want_of_work(small_disk, begun, keeper):
    keeper.look()
    assert recorder.lane().kept_awake == 0
    small_disk.fill()
    recorder.keep(begun, 0, {"checkpoint.npz": CHECKPOINT})
    keeper.look()
    assert recorder.lane().kept_awake == 1
    small_disk.free()
    keeper.look()
    assert recorder.lane().kept_awake == 1


def test_a_run_that_ends_while_the_disk_is_full_is_finished_as_soon_as_there_is_room(small_disk, at_once, monkeypatch):
    run_id = recorder.enqueue(RECIPE)["id"]
    real = recorder.keep

    def keep(*args):
        real(*args)
        if "checkpoint.npz" in args[2]:
            small_disk.fill()

    monkeypatch.setattr(recorder, "keep", keep)
    monkeypatch.setenv("TMPDIR", str(home()))  # one disk for everything
    monkeypatch.setattr(tempfile, "tempdir", None)
    worker.run_recipe(run_id, 0)
    small_disk.free()
    recorder.writer.write_again()
    assert [run.id for run in finished()] == [run_id]


def test_a_history_that_runs_out_of_room_while_it_is_made_is_made_later(small_disk):
    home().mkdir()
    for room in range(0, 80_000, 12_288):  # it breaks off after more and more of its tables
        small_disk.fill(room)
        with contextlib.suppress(StoreUnavailable):
            Ledger(home()).close()
        small_disk.free()
        history = Ledger(home())
        run_id = history.add(RECIPE, "abc", "t", "run")
        assert [run.id for run in Store(home()).runs()] == [run_id]
        history.close()
        for file in home().glob("runs.sqlite*"):
            file.unlink()


def test_with_a_full_disk_the_history_says_so_and_not_that_it_is_damaged(small_disk):
    home().mkdir()
    small_disk.fill()
    with pytest.raises(StoreUnavailable, match=r"^The disk is full; free some space"):
        Ledger(home())


def test_an_answer_that_finds_no_room_is_computed_again_next_time(small_disk):
    cache = AnswerCache(home() / "answers")
    cache.put("small", b"x")
    small_disk.fill()
    cache.put("large", b"x" * 500_000)
    assert cache.get("large") is None
    assert [file.name for file in cache.folder.iterdir()] == ["small"]


def test_an_engine_that_finds_no_room_for_its_certificates_says_so(small_disk):
    EngineFolder(home()).prepare()
    small_disk.fill()
    engine = Engine(home())
    engine._join_or_start()
    status = engine.status()
    assert (status["state"], status["sentence"]) == (
        "failed",
        "The disk is full; free some space and try again. Finished epochs are kept.",
    )


def test_a_folder_that_belongs_to_somebody_else_is_not_called_a_full_disk(tmp_path, monkeypatch):
    monkeypatch.setenv("PRUNEKIT_HOME", str(tmp_path / "file" / "home"))
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EngineUnavailable, match="cannot be written to; set PRUNEKIT_HOME"):
        EngineFolder(home()).prepare()


# -- a locked history -------------------------------------------------------------------------------------------

LOCKER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
for word in sys.argv[2].split(";"):
    connection.execute(word)
print("locked", flush=True)
sys.stdin.read()
"""
WRITES = "begin exclusive"
EVERYTHING = "pragma locking_mode=exclusive;begin exclusive;select count(*) from runs"


@contextlib.contextmanager
def locked(how: str):
    """Another process holds the history."""
    words = [sys.executable, "-c", LOCKER, str(Store(home()).path), how]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "locked\n"
        yield
        other.stdin.close()


def test_what_is_told_while_the_history_is_locked_is_written_when_it_is_free(begun, keeper):
    with locked(WRITES):
        recorder.record(begun, 0, [epoch(2)])
        keeper.look()
        assert recorder.writer.trouble == "The run history is locked by another program; close it and try again."
        assert epochs(begun) == [1]  # reading goes on
        with pytest.raises(StoreUnavailable, match="locked by another program; close it"):
            recorder.enqueue(RECIPE | {"seed": 1})
    keeper.look()
    assert recorder.writer.trouble is None
    assert epochs(begun) == [1, 2]
    assert recorder.enqueue(RECIPE | {"seed": 1})["known"] is False


def test_a_history_that_cannot_even_be_read_is_one_sentence_until_it_is_free(begun):
    reader = Store(home())
    assert len(reader.runs()) == 1
    recorder.store().close()
    reader.close()
    with locked(EVERYTHING), pytest.raises(StoreUnavailable, match="locked by another program; close it"):
        reader.runs()
    assert [run.id for run in reader.runs()] == [begun]


# -- a damaged history ------------------------------------------------------------------------------------------


def garbage(path):
    path.write_bytes(b"this is no database" * 500)


def cut_short(path):
    os.truncate(path, path.stat().st_size // 3)


def broken_inside(path):
    content = bytearray(path.read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    path.write_bytes(content)


def of_a_newer_version(path):
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("update alembic_version set version_num = '0099'")


DAMAGE = {
    garbage: r"is damaged; move runs\.sqlite away",
    cut_short: r"is damaged; move runs\.sqlite away",
    broken_inside: r"is damaged; move runs\.sqlite away",
    of_a_newer_version: "written by a newer prunekit; update this one",
}


def damaged(how, run_id: str):
    """The history, with the saved model of a run beside it, and then damaged while nobody has it open."""
    files = recorder.store().files(run_id)
    files.mkdir(parents=True)
    (files / "weights.safetensors").write_bytes(b"a model")
    recorder.store().close()
    path = recorder.store().path
    for leftover in path.parent.glob("runs.sqlite-*"):
        leftover.unlink()
    how(path)
    return path, files


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_history_is_one_sentence_and_a_new_one_leaves_the_saved_models_alone(how, begun):
    path, files = damaged(how, begun)
    if how is of_a_newer_version:
        recorder.writer._ledger = None  # it was another recorder that wrote it
    reader = Store(home())
    for ask in (reader.runs, lambda: recorder.enqueue(RECIPE), Store(home()).runs):
        with pytest.raises(StoreUnavailable, match=DAMAGE[how]) as told:
            ask()
        assert str(told.value).count("\n") == 0
    path.rename(path.with_suffix(".away"))
    again = recorder.enqueue(RECIPE)["id"]
    assert again != begun  # its folder is the old run's
    assert [run.id for run in reader.runs()] == [again]  # without a restart of the server
    assert (files / "weights.safetensors").read_bytes() == b"a model"


def test_finished_runs_come_back_with_their_models_when_their_history_was_moved_away(at_once):
    ids = [recorder.enqueue(RECIPE | changes)["id"] for changes in ({"seed": 3}, {"seed": 4, "scorer": "random"})]
    for run_id in ids:
        worker.run_recipe(run_id, 0)
    before = {run.id: (run.fingerprint, run.recipe, run.result["test_finetuned"]) for run in finished()}
    assert set(before) == set(ids)
    garbage(recorder.store().path)
    recorder.store().path.rename(recorder.store().path.with_suffix(".away"))
    assert recorder.enqueue(RECIPE | {"seed": 3})["known"] is True
    assert {run.id: (run.fingerprint, run.recipe, run.result["test_finetuned"]) for run in finished()} == before
    assert [run.role for run in finished()] == ["run", "control"]


def test_a_run_that_went_on_while_its_history_was_moved_away_is_in_the_new_one(at_once, monkeypatch):
    run_id = recorder.enqueue(RECIPE)["id"]
    real = recorder.keep

    def keep(*args):
        real(*args)
        if "checkpoint.npz" in args[2]:
            recorder.store().path.rename(recorder.store().path.with_suffix(".away"))

    monkeypatch.setattr(recorder, "keep", keep)
    worker.run_recipe(run_id, 0)
    assert [run.id for run in finished()] == [run_id]
    assert finished()[0].result["test_finetuned"] > 0.5


def test_a_deleted_run_does_not_come_back(at_once):
    run_id = recorder.enqueue(RECIPE)["id"]
    worker.run_recipe(run_id, 0)
    recorder.delete(run_id)
    recorder.keep(run_id, 0, {"checkpoint.npz": CHECKPOINT})  # a worker speaks last
    recorder.lane().timings.clear()
    recorder.finish(run_id, 0, "finished", {}, None)
    assert recorder.lane().timings == []
    recorder.writer.close()
    assert recorder.store().runs() == []
    assert not recorder.store().files(run_id).exists()


def test_a_run_whose_deletion_was_cut_off_does_not_come_back_either(at_once, monkeypatch):
    run_id = recorder.enqueue(RECIPE)["id"]
    worker.run_recipe(run_id, 0)
    with monkeypatch.context() as killed:
        killed.setattr(recovery.shutil, "rmtree", lambda *_args, **_options: None)  # just before
        recorder.delete(run_id)
    recorder.writer.close()
    assert recorder.store().runs() == []
    assert not recorder.store().files(run_id).exists()


def test_a_run_whose_deletion_was_cut_off_before_it_was_deleted_is_whole_again(at_once, monkeypatch):
    run_id = recorder.enqueue(RECIPE)["id"]
    worker.run_recipe(run_id, 0)
    files = set(recorder.model_files(run_id))
    with monkeypatch.context() as killed:
        killed.setattr(Path, "replace", killing(Path.replace))
        with pytest.raises(SystemExit):
            recorder.delete(run_id)
    assert set(recorder.model_files(run_id)) != files
    recorder.writer.close()
    assert [run.id for run in recorder.store().runs()] == [run_id]
    assert set(recorder.model_files(run_id)) == files


def killing(function):
    def after(*args):
        function(*args)
        raise SystemExit

    return after


@pytest.mark.parametrize("whole_sweep", [False, True])
def test_a_run_that_cannot_be_deleted_keeps_its_model(at_once, whole_sweep):
    sweep = Sweep(Recipe.from_plain(RECIPE), ("magnitude",), (0.25,), ("channel",), (0,), controls=False)
    sweep_id = recorder.start_sweep(sweep.to_plain())["id"]
    [run] = Store(home()).runs_of(sweep_id)
    worker.run_recipe(run.id, 0)
    files = set(recorder.model_files(run.id))
    delete = (recorder.delete_sweep, sweep_id, True) if whole_sweep else (recorder.delete, run.id)
    with locked(WRITES), pytest.raises(StoreUnavailable, match="locked by another program"):
        delete[0](*delete[1:])
    assert set(recorder.model_files(run.id)) == files != set()
    delete[0](*delete[1:])
    assert Store(home()).runs() == []
    assert not Store(home()).files(run.id).exists()


def test_a_run_that_cannot_be_started_afresh_keeps_its_checkpoint(begun):
    recorder.keep(begun, 0, {"checkpoint.npz": CHECKPOINT})
    recorder.finish(begun, 0, "stopped", None, None)
    with locked(WRITES), pytest.raises(StoreUnavailable, match="locked by another program"):
        recorder.resume(begun, afresh=True)
    recorder.resume(begun)
    assert recorder.begin(begun, 1)["checkpoint"].tobytes() == CHECKPOINT.tobytes()


def test_half_a_checkpoint_that_a_killed_process_left_is_cleared_away(begun):
    folder = recorder.store().files(begun)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".checkpoint.npz.1-2.part").write_bytes(b"half")
    recorder.finish(begun, 0, "stopped", None, None)
    recorder.resume(begun)
    recorder.begin(begun, 1, "another worker", 1)
    assert not list(folder.glob(".*"))


def finished() -> list:
    return [run for run in Store(home()).runs() if run.state == "finished"]


def test_an_empty_file_is_an_empty_history_and_the_saved_models_stay(begun):
    path, files = damaged(lambda path: path.write_bytes(b""), begun)
    assert Store(home()).runs() == []
    assert recorder.enqueue(RECIPE)["id"] != begun
    assert (files / "weights.safetensors").read_bytes() == b"a model"
    assert path.stat().st_size


def test_a_damaged_journal_costs_at_most_what_was_in_it(begun):
    raw = sqlite3.connect(recorder.store().path)
    raw.execute("pragma wal_checkpoint(truncate)")
    recorder.record(begun, 0, [epoch(2)])
    journal = recorder.store().path.with_name("runs.sqlite-wal")
    copy = home() / "copy"
    copy.mkdir()
    shutil.copy(recorder.store().path, copy / "runs.sqlite")  # as after a kill: nobody has put the journal away
    (copy / "runs.sqlite-wal").write_bytes(journal.read_bytes()[:40] + os.urandom(5000))
    raw.close()
    assert [event["epoch"] for event in Store(copy).events(begun, ("epoch",))] == [1]
    assert Ledger(copy).run(begun).state == "running"


def test_one_report_with_nowhere_to_go_does_not_hold_up_the_others(begun, monkeypatch):
    other = recorder.enqueue(RECIPE | {"seed": 1})["id"]
    recorder.writer._waiting.append((recorder._keep, (other, 0, {"checkpoint.npz": CHECKPOINT})))
    recorder.store().change(other, state="stopped")
    recorder.delete(other)
    recorder.record(begun, 0, [epoch(2)])
    assert epochs(begun) == [1, 2]


# -- what went away while a run waited --------------------------------------------------------------------------


@pytest.fixture
def at_once(monkeypatch):
    told_at_once(monkeypatch)


def test_a_checkpoint_that_cannot_be_read_fails_the_run_until_it_is_asked_to_start_afresh(at_once):
    run_id = recorder.enqueue(RECIPE)["id"]
    files = recorder.store().files(run_id)
    files.mkdir(parents=True)
    (files / "checkpoint.npz").write_bytes(b"PK\x03\x04 cut off here")
    for attempt in range(2):
        worker.run_recipe(run_id, attempt)
        run = Store(home()).run(run_id)
        assert run.state == "failed"
        assert run.error == "The checkpoint of this run cannot be read; start the run afresh, from its recipe."
        recorder.resume(run_id, attempt == 1)
    worker.run_recipe(run_id, 2)
    assert Store(home()).run(run_id).state == "finished"
    assert epochs(run_id) == [1]


def test_a_run_whose_model_has_gone_while_it_waited_says_which(at_once, tmp_path, monkeypatch):
    from prunekit.core.cards import SAMPLES, model_cards

    own = tmp_path / "own"
    shutil.copytree(SAMPLES / "mlp-digits", own / "my-net")
    card = own / "my-net" / "card.json"
    card.write_text(card.read_text().replace('"mlp-digits"', '"my-net"'))
    monkeypatch.setenv("PRUNEKIT_MODELS", str(own))
    getattr(model_cards, "cache_clear", lambda: None)()
    run_id = recorder.enqueue(RECIPE | {"model": "my-net"})["id"]
    shutil.rmtree(own / "my-net")
    getattr(model_cards, "cache_clear", lambda: None)()
    worker.run_recipe(run_id, 0)
    run = Store(home()).run(run_id)
    assert run.state == "failed"
    assert "my-net" in run.error
    getattr(model_cards, "cache_clear", lambda: None)()


def test_an_answer_that_the_recorder_could_not_give_before_it_died_is_given_again(begun):
    assert recorder.begin(begun, 0, "a worker", 1)["go"] is True  # the same call, repeated
    assert Store(home()).run(begun).state == "running"
    assert recorder.begin(begun, 0, "the next worker", 1)["go"] is False
    assert Store(home()).run(begun).state == "interrupted"


def test_a_resumed_run_computes_with_the_threads_and_the_precision_of_its_first_attempt(begun):
    recorder.record(begun, 0, [{"number": 9, "time": 9.0, "kind": "precision", "name": "bfloat16"} | LAST])
    recorder.finish(begun, 0, "stopped", None, None)
    recorder.resume(begun)
    recorder.resume(begun)  # a second press
    go = recorder.begin(begun, 1, "another worker", 7)
    assert (go["threads"], go["precision"]) == (1, ["bfloat16", True])


LAST = {"channels_last": True}


def test_a_run_whose_data_has_changed_while_it_waited_is_not_gone_on_with_silently():
    kept = []
    recipe = Recipe.from_plain(RECIPE)
    execute(recipe, keep=kept.append, timed=False)
    other = dataclasses.replace(kept[0], figures=kept[0].figures | {"data_full": not kept[0].figures["data_full"]})
    with pytest.raises(BadSetting, match="data has changed since this run began"):
        execute(recipe, checkpoint=other, timed=False)
