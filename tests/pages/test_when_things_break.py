"""Pages over a history that cannot be read or written, or over runs whose model is gone: one sentence each."""

import os
import sqlite3

import pytest

from prunekit.experiments import recorder
from prunekit.experiments.store import Store
from tests.pages.in_process_engine import open_page, texts
from tests.pages.reading import errors
from tests.sample_runs import add_finished, add_running, recipe

pytestmark = pytest.mark.usefixtures("engine_here")

PAGES = ("prune", "compare")
FULL = "The disk is full; free some space and try again. Finished epochs are kept."


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr(Store, "_patience", 0.1)


def garbage(path):
    path.write_bytes(b"this is no database" * 500)


def cut_short(path):
    os.truncate(path, path.stat().st_size // 3)


def of_a_newer_version(path):
    with sqlite3.connect(path) as connection:
        connection.execute("update alembic_version set version_num = '0099'")
    connection.close()


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("how", [garbage, cut_short, of_a_newer_version])
def test_a_history_that_cannot_be_read_is_one_sentence_and_not_an_empty_one(history, three_runs, page, how):
    history.close()
    for leftover in history.folder.glob("runs.sqlite-*"):
        leftover.unlink()
    how(history.path)
    shown = open_page(page)
    assert len(shown.error) == 1
    assert "run history" in errors(shown)[0]
    assert "Nothing has run yet" not in texts(shown)
    assert "no runs" not in texts(shown).lower()


@pytest.mark.parametrize("page", PAGES)
def test_a_locked_history_is_one_sentence_and_is_there_again_when_it_is_free(history, three_runs, page):
    history.close()
    other = sqlite3.connect(history.path, isolation_level=None)
    for word in ("pragma locking_mode=exclusive", "begin exclusive", "select count(*) from runs"):
        other.execute(word)
    shown = open_page(page)
    assert errors(shown) == ["The run history is locked by another program; close it and try again."]
    other.close()
    shown.run()
    assert not shown.error


@pytest.mark.parametrize("page", PAGES)
def test_while_the_recorder_cannot_write_the_page_says_why_and_shows_the_runs(three_runs, engine_here, page):
    engine_here.trouble = FULL
    shown = open_page(page)
    (warning,) = [one.value.replace("\\", "") for one in shown.warning if "disk" in one.value]
    assert warning == f"{FULL} Runs go on meanwhile, and what they report is written down later."
    assert not shown.error
    engine_here.trouble = None
    shown.run()
    assert not [one for one in shown.warning if "disk" in one.value]


@pytest.mark.parametrize("page", ["start", *PAGES])
def test_runs_of_a_model_that_is_gone_are_no_reason_not_to_open(history, page):
    gone = {"model": "no-longer-here"}
    for asked in (recipe(), recipe(amount=0.6)):
        plain = asked.to_plain() | gone
        history.add(plain, f"f{asked.amount}", "of a model that is gone", "run")
    history.change("f0.5-1", state="failed", error="There is no model called “no-longer-here”.")
    shown = open_page(page)
    assert not shown.exception


def test_a_run_that_failed_can_be_started_afresh(history):
    failed = add_finished(history, recipe())
    history.change(failed, state="failed", result=None, error="The checkpoint of this run cannot be read.")
    files = recorder.store().files(failed)
    files.mkdir(parents=True)
    (files / "checkpoint.npz").write_bytes(b"nothing of use")
    page = open_page("prune")
    page.button(key=f"start_afresh_{failed}").click().run()
    assert not page.exception
    assert (history.run(failed).state, history.run(failed).attempt) == ("queued", 1)
    assert not (files / "checkpoint.npz").exists()


def test_an_engine_that_died_in_the_middle_of_a_run_is_started_by_the_page_that_shows_it(history, engine_here):
    add_running(history, recipe())
    started = []
    engine_here.warm_up = lambda: started.append(True)
    open_page("prune")
    assert started


def test_a_second_press_on_resume_is_not_an_error(history):
    run_id = add_finished(history, recipe())
    history.change(run_id, state="interrupted", result=None)
    first, second = open_page("prune"), open_page("prune")
    first.button(key=f"resume_{run_id}").click().run()
    second.button(key=f"resume_{run_id}").click().run()
    assert not second.error
    assert Store(history.folder).run(run_id).attempt == 1
