"""Sweeps in the run store: what was run before counts, many runs change at once, an old history opens."""

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from prunekit.core.errors import UnknownName
from prunekit.experiments import store as store_module
from prunekit.experiments.ledger import Ledger
from prunekit.experiments.runs import queue_order
from prunekit.experiments.store import Store

RECIPE = {"model": "lenet-fashion"}
PLAN = {"title": ""}


@pytest.fixture
def store(tmp_path):
    return Ledger(tmp_path)


def add(store, *marks: str, fingerprint: str = "plan"):
    return store.add_sweep(PLAN, fingerprint, "a sweep", [(RECIPE, mark, f"run {mark}") for mark in marks])


def test_a_sweep_queues_its_runs_in_the_order_of_the_plan(store):
    sweep, new, known = add(store, "ccc", "aaa", "bbb")
    assert (new, known) == (["ccc-1", "aaa-1", "bbb-1"], [])
    waiting = sorted(store.runs(), key=queue_order)
    assert [run.id for run in waiting] == new == [run.id for run in store.runs_of(sweep)]
    assert {(run.role, run.state) for run in waiting} == {("sweep", "queued")}


@pytest.mark.parametrize(
    ("state", "counts"),
    [("queued", True), ("running", True), ("finished", True), ("stopping", False), ("stopped", False)],
)
def test_a_recipe_that_waits_runs_or_finished_is_not_run_again(store, state, counts):
    before = store.add(RECIPE, "aaa", "t", "run")
    store.change(before, state=state)
    sweep, new, known = add(store, "aaa", "bbb")
    assert (before in known, len(new)) == (counts, 1 if counts else 2)
    assert [run.id for run in store.runs_of(sweep)] == ["aaa-1" if counts else "aaa-2", "bbb-1"]


def test_a_run_may_belong_to_two_sweeps(store):
    one, *_ = add(store, "aaa", "bbb", fingerprint="one")
    two, new, known = add(store, "bbb", "ccc", fingerprint="two")
    assert (new, known) == (["ccc-1"], ["bbb-1"])
    assert store.members() == {one: ["aaa-1", "bbb-1"], two: ["bbb-1", "ccc-1"]}


def test_the_same_sweep_again_is_the_one_that_is_there_with_what_was_deleted(store):
    first, *_ = add(store, "aaa", "bbb")
    store.change("aaa-1", state="stopped")
    store.delete("bbb-1")
    again, new, known = add(store, "aaa", "bbb")
    assert (again, new, known) == (first, ["bbb-1"], ["aaa-1"])
    assert len(store.sweeps()) == 1


def test_people_s_runs_and_their_controls_wait_before_every_sweep(store):
    add(store, "aaa", "bbb")
    control = store.add(RECIPE, "ccc", "t", "control")
    own = store.add(RECIPE, "ddd", "t", "run")
    assert [store.place(run) for run in (own, control, "aaa-1", "bbb-1")] == [0, 1, 2, 3]


def test_many_runs_change_in_one_go(store):
    _, new, _ = add(store, "aaa", "bbb", "ccc")
    store.change_many(new[:2], state="stopped")
    assert [run.state for run in store.runs()] == ["stopped", "stopped", "queued"]
    store.change_many(new[:2], again=True, state="queued")
    assert [(run.state, run.attempt) for run in store.runs()] == [("queued", 1), ("queued", 1), ("queued", 0)]


def test_a_deleted_sweep_leaves_its_runs_unless_they_are_named(store):
    sweep, *_ = add(store, "aaa", "bbb")
    store.add_events("bbb-1", 0, [{"number": 0, "time": 1.0, "kind": "epoch"}])
    store.delete_sweep(sweep, ["bbb-1"])
    assert (store.sweeps(), store.members(), [run.id for run in store.runs()]) == ([], {}, ["aaa-1"])
    assert store.events("bbb-1") == []
    with pytest.raises(UnknownName, match=sweep):
        store.sweep(sweep)


def test_a_deleted_run_is_missing_from_its_sweep_and_nothing_else_is(store):
    sweep, *_ = add(store, "aaa", "bbb")
    store.delete("aaa-1")
    assert [run.id for run in store.runs_of(sweep)] == ["bbb-1"]


def first_version(folder) -> str:
    """A history as the first version left it, with one finished run."""
    config = Config()
    config.set_main_option("script_location", str(Path(store_module.__file__).with_name("migrations")))
    config.attributes["url"] = sa.URL.create("sqlite", database=str(folder / "runs.sqlite"))
    command.upgrade(config, "0001")
    with sqlite3.connect(folder / "runs.sqlite") as history:
        history.execute(
            "insert into runs (id, fingerprint, title, recipe, role, state, created, attempt) "
            "values ('abc-1', 'abc', 't', '{}', 'run', 'finished', 1.0, 0)"
        )
    history.close()
    return "abc-1"


def test_a_history_of_the_first_version_opens_for_a_reader_and_is_brought_up_to_date_by_the_writer(tmp_path):
    run = first_version(tmp_path)
    reader = Store(tmp_path)
    assert (reader.sweeps(), reader.members(), reader.runs_of("any")) == ([], {}, [])
    newer = Ledger(tmp_path)
    sweep, _, known = add(newer, "abc")
    assert known == [run]
    assert [one.id for one in reader.sweeps()] == [sweep]
