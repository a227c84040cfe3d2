"""The run store: ids, queue order, events that cannot be written twice, and sentences for a broken file."""

import itertools
import subprocess
import sys

import pytest
import sqlalchemy as sa

from prunekit.core.errors import StoreUnavailable, UnknownName
from prunekit.experiments import held as module
from prunekit.experiments.ledger import MOST_PROGRESS, Ledger
from prunekit.experiments.store import Store

RECIPE = {"model": "lenet-fashion"}


@pytest.fixture
def store(tmp_path):
    return Ledger(tmp_path)


def test_a_folder_without_history_is_an_empty_history(tmp_path):
    assert Store(tmp_path / "nothing").runs() == []


def test_the_same_recipe_run_again_gets_the_next_counter(store):
    assert [store.add(RECIPE, "abc", "t", "run") for _ in range(3)] == ["abc-1", "abc-2", "abc-3"]


def test_a_deleted_run_s_counter_is_free_and_its_events_are_gone(store):
    first = store.add(RECIPE, "abc", "t", "run")
    store.add_events(first, 0, [{"number": 0, "time": 1.0, "kind": "epoch"}])
    store.delete(first)
    assert store.events(first) == []
    assert store.add(RECIPE, "abc", "t", "run") == "abc-1"
    assert store.events("abc-1") == []


def test_events_told_twice_are_kept_once_and_come_back_in_order(store):
    run = store.add(RECIPE, "abc", "t", "run")
    told = [{"number": n, "time": float(n), "kind": "epoch", "epoch": n} for n in range(3)]
    store.add_events(run, 0, told[1:])
    store.add_events(run, 0, told)
    assert [e["epoch"] for e in store.events(run)] == [0, 1, 2]
    assert store.events(run, kinds=("cut",)) == []


def test_of_a_long_run_s_progress_an_even_part_is_kept(store):
    run = store.add(RECIPE, "abc", "t", "run")
    told = [{"number": n, "time": float(n), "kind": "epoch" if n % 500 == 0 else "progress"} for n in range(3000)]
    for start in range(0, len(told), 10):
        store.add_events(run, 0, told[start : start + 10])
    times = [event["time"] for event in store.events(run, ("progress",))]
    assert MOST_PROGRESS / 4 <= len(times) <= MOST_PROGRESS
    assert times[-1] == 2999
    assert max(after - before for before, after in itertools.pairwise([0.0, *times])) < 8 * 3000 / MOST_PROGRESS
    assert len(store.events(run, ("epoch",))) == 6


def test_a_reader_asks_the_file_again_when_another_process_has_written_and_only_then(store, tmp_path, monkeypatch):
    asked = []
    real = module.ask
    monkeypatch.setattr(module, "ask", lambda query, engine: asked.append(1) or real(query, engine))
    reader = Store(tmp_path)
    run = store.add(RECIPE, "abc", "t", "run")
    asked.clear()
    assert [r.id for r in reader.runs()] == [r.id for r in reader.runs()] == [run]
    assert len(asked) == 1
    words = ["-c", "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()"]
    subprocess.run([sys.executable, *words, str(store.path), "update runs set title = 'new'"], check=True)
    assert [r.title for r in reader.runs()] == ["new"]
    store.change(run, title="newer")
    assert [r.title for r in reader.runs()] == ["newer"]
    reader.close()
    assert [r.title for r in reader.runs()] == ["newer"]


def test_events_of_a_deleted_run_have_nowhere_to_go_and_hurt_nobody(store):
    store.add_events("gone-1", 0, [{"number": 0, "time": 1.0, "kind": "epoch"}])
    assert store.events("gone-1") == []


def test_people_s_own_runs_wait_before_the_controls(store):
    control = store.add(RECIPE, "aaa", "t", "control")
    own = store.add(RECIPE, "bbb", "t", "run")
    assert (store.place(own), store.place(control)) == (0, 1)


def test_a_running_run_is_ahead_of_the_first_in_the_queue(store):
    busy, waiting = store.add(RECIPE, "aaa", "t", "run"), store.add(RECIPE, "bbb", "t", "run")
    store.change(busy, state="running")
    assert (store.place(busy), store.place(waiting)) == (0, 1)


@pytest.mark.parametrize(
    ("state", "known"),
    [
        ("queued", True),
        ("running", True),
        ("finished", True),
        ("failed", False),
        ("stopping", False),
        ("stopped", False),
    ],
)
def test_only_a_run_that_waits_runs_or_finished_stands_for_its_recipe(store, state, known):
    run = store.add(RECIPE, "abc", "t", "run")
    store.change(run, state=state)
    assert (store.same("abc") is not None) == known


def test_a_reader_sees_what_the_writer_wrote(store, tmp_path):
    run = store.add(RECIPE, "abc", "t", "run")
    reader = Store(tmp_path)
    assert reader.run(run).recipe == RECIPE
    store.change(run, state="finished", result={"test_finetuned": 0.9})
    assert reader.run(run).result == {"test_finetuned": 0.9}


def test_a_reader_cannot_write(store, tmp_path):
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        Store(tmp_path)._read(sa.text("delete from runs"))


def test_an_unknown_run_is_named(store):
    with pytest.raises(UnknownName, match="abc-9"):
        store.run("abc-9")


def test_a_damaged_history_is_one_sentence_that_says_what_to_do(tmp_path):
    (tmp_path / "runs.sqlite").write_bytes(b"not a database" * 500)
    with pytest.raises(StoreUnavailable, match=r"move runs\.sqlite away"):
        Store(tmp_path).runs()


def test_a_history_of_today_opens_again(tmp_path):
    run = Ledger(tmp_path).add(RECIPE, "abc", "t", "run")
    assert Ledger(tmp_path).run(run).id == run
