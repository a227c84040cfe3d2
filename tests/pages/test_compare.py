"""The Compare page: chart and table hold the same runs, and runs can be renamed, deleted and downloaded."""

import json

import pytest

from tests.pages.in_process_engine import open_page, texts
from tests.sample_runs import add_finished, recipe

pytestmark = pytest.mark.usefixtures("engine_here")


def chart(page) -> list[dict]:
    (drawn,) = page.get("plotly_chart")
    return json.loads(drawn.proto.spec)["data"]


def choose(page, *rows: int):
    """Chooses rows of the table, counted from 0, newest first."""
    key = next(element.proto.id for element in page.dataframe).rsplit("-", 1)[-1]
    page.session_state[key] = {"selection": {"rows": list(rows), "columns": [], "cells": []}}
    return page.run()


def test_without_runs_the_page_says_what_to_do_next(history):
    page = open_page("compare")
    assert "No runs of this model yet" in texts(page)
    assert [link.label for link in page.get("page_link")] == ["Prune it with a first recipe"]


def test_chart_and_table_hold_the_same_runs(three_runs):
    page = open_page("compare")
    table = page.dataframe[0].value
    assert list(table["state"]) == ["running", "finished", "finished"]
    assert sorted(run for trace in chart(page) for run in trace.get("ids", [])) == sorted(three_runs[:2])
    assert "1 run is on its way and will appear here." in texts(page)


def test_baseline_and_random_control_are_drawn(three_runs):
    names = [trace["name"] for trace in chart(open_page("compare"))]
    assert names == ["Untouched model", "Magnitude · channels", "Random control · channels"]


def test_it_says_that_single_runs_are_single_runs(three_runs):
    assert "Every point is a single run" in texts(open_page("compare"))


def test_the_test_set_is_shown_with_a_word_on_why_not_to_choose_by_it(three_runs):
    page = open_page("compare")
    assert not page.warning
    page.button_group(key="split").set_value("test").run()
    assert "choose on validation" in page.warning[0].value


def test_a_run_without_a_measured_latency_is_listed_as_pending(history):
    add_finished(history, recipe(), timed=True)
    add_finished(history, recipe(amount=0.8), timed=False)
    page = open_page("compare")
    page.button_group(key="axis").set_value("latency").run()
    assert len([run for trace in chart(page) for run in trace.get("ids", [])]) == 1
    assert "Latency pending for" in texts(page)


def test_latency_can_be_looked_at_for_each_batch_size(history):
    add_finished(history, recipe())
    page = open_page("compare")
    page.button_group(key="axis").set_value("latency").run()
    page.button_group(key="batch").set_value(1).run()
    assert page.dataframe[0].value["latency_ms_before"].iloc[0] == 0.2


def test_a_speedup_far_below_the_theoretical_one_is_explained(history):
    add_finished(history, recipe(granularity="weight", amount=0.9))
    assert "10.00× fewer MACs, 1.00× measured. Zeros stay dense" in texts(open_page("compare"))


def test_a_chosen_run_is_renamed(history, three_runs):
    page = choose(open_page("compare"), 2)
    page.text_input(key=f"title_{three_runs[0]}").set_value("the good one").run()
    page.button(key="rename").click().run()
    assert history.run(three_runs[0]).title == "the good one"
    assert "the good one" in list(page.dataframe[0].value["title"])


def test_chosen_runs_are_deleted_after_one_more_click(history, three_runs):
    page = choose(open_page("compare"), 1, 2)
    assert "Delete 2 runs with their figures and their models? This cannot be undone." in texts(page)
    page.button(key="delete").click().run()
    assert [run.id for run in history.runs()] == three_runs[2:]
    assert len(page.dataframe[0].value) == 1


def test_a_running_run_cannot_be_deleted(history, three_runs):
    page = choose(open_page("compare"), 0, 1)
    page.button(key="delete").click().run()
    assert [run.id for run in history.runs()] == [three_runs[0], three_runs[2]]


def test_a_choice_is_not_carried_over_to_other_runs(history, three_runs):
    page = choose(open_page("compare"), 0)
    assert "3 runs, 1 chosen" in texts(page)
    add_finished(history, recipe(amount=0.9))
    page.run()
    assert "4 runs, 0 chosen" in texts(page)


def test_a_damaged_history_is_one_sentence(history):
    history.path.write_bytes(b"this is no database, whatever its name says" * 100)
    for leftover in history.folder.glob("runs.sqlite-*"):
        leftover.unlink()
    page = open_page("compare")
    assert "The run history is damaged" in page.error[0].value
