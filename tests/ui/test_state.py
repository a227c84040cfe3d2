"""What a visitor has chosen: cuts heard from the browser, cuts moved by the server, recipes between pages."""

import numpy as np
import pytest
import streamlit as st

from prunekit.core.cut_table import Costs, CutTable
from prunekit.core.cuts import Cut
from prunekit.core.recipe import Recipe
from prunekit.ui import state

RULE = {"scope": "global", "round_to": 1, "floor": 1}
QUESTION = state.Question("lenet-fashion", "magnitude", {"p": 1}, "channel")


@pytest.fixture(autouse=True)
def session(monkeypatch):
    """A session of its own for every test."""
    values = {}
    monkeypatch.setattr(st, "session_state", values)
    return values


@pytest.fixture
def table():
    """Two rows of ten units, scores 1..10 and 11..20; costs play no part here."""
    none = Costs(
        np.zeros((0, 2)), np.zeros(0), *[np.zeros(0, int)] * 2, np.zeros((0, 4)), np.zeros(0, int), np.zeros(4), ()
    )
    rows = {"a": np.arange(1, 11, dtype=np.float32), "b": np.arange(11, 21, dtype=np.float32)}
    return CutTable.of(rows, none)


def message(**changes) -> dict:
    usual = {"sparsity": 0.4, "overrides": {}, "locked": [], "focus": "b", "revision": state.revision(), "seq": 7}
    return usual | {"board": "board", "settled": True, "threshold": None} | changes


def test_a_move_of_the_hand_becomes_the_cut_and_is_not_sent_back(table):
    before = state.revision()
    state.hear(message(overrides={"a": 0.5}, locked=["b"]), table, "board")
    assert state.cut() == Cut(0.4, "global", {"a": 0.5}, frozenset({"b"}))
    assert (state.focus(), state.heard(), state.revision()) == ("b", 7, before)


@pytest.mark.parametrize(
    "changes",
    [
        {"sparsity": 2},
        {"sparsity": None},
        {"sparsity": "x"},
        {"overrides": {"a": -1}},
        {"overrides": None},
        {"locked": 3},
        {"board": "of another question"},
        {"revision": 0},
    ],
)
def test_a_message_that_is_wrong_or_late_changes_nothing(table, changes):
    before = state.cut()
    state.hear(message(**changes), table, "board")
    assert state.cut() == before


def test_rows_that_are_not_there_are_left_out(table):
    state.hear(message(overrides={"a": 0.5, "z": 0.9}, locked=["y"], focus="x"), table, "board")
    assert state.cut() == Cut(0.4, "global", {"a": 0.5})
    assert state.focus() == ""


def test_a_threshold_of_four_and_a_half_typed_for_the_net_takes_four_of_twenty(table):
    before = state.revision()
    state.hear(message(threshold={"row": "", "value": 4.5}), table, "board")
    assert state.cut().sparsity == pytest.approx(0.2)
    assert state.revision() == before + 1


@pytest.mark.parametrize("threshold", ["x", {"row": "a"}, {"row": "a", "value": "x"}, 3])
def test_a_threshold_that_is_no_number_is_not_heard(table, threshold):
    state.hear(message(threshold=threshold), table, "board")
    assert state.cut() == Cut(0.4)


def test_a_threshold_typed_for_a_row_becomes_its_own_cut_and_unlocks_it(table):
    state.hear(message(locked=["b"], threshold={"row": "b", "value": 13.5}), table, "board")
    assert state.cut().overrides == {"b": 0.3}
    assert state.cut().locked == frozenset()


def test_another_granularity_forgets_the_cuts_of_the_old_rows_and_keeps_the_sparsity():
    state.fit_cut(QUESTION, RULE, ("a", "b"))
    state.move_cut(Cut(0.6, "global", {"a": 0.9}, frozenset({"b"})))
    state.fit_cut(state.Question("lenet-fashion", "magnitude", {"p": 1}, "weight"), RULE, ("a", "b"))
    assert state.cut() == Cut(0.6)


def test_another_criterion_keeps_the_cuts_of_single_rows():
    state.fit_cut(QUESTION, RULE, ("a", "b"))
    state.move_cut(Cut(0.6, "global", {"a": 0.9}))
    state.fit_cut(state.Question("lenet-fashion", "random", {}, "channel"), RULE | {"scope": "layer"}, ("a", "b"))
    assert state.cut() == Cut(0.6, "layer", {"a": 0.9})


def test_the_first_row_is_in_focus_until_another_is():
    state.fit_cut(QUESTION, RULE, ("a", "b"))
    assert state.focus() == "a"


def test_the_cut_on_the_page_becomes_a_recipe_that_keeps_schedule_and_training(session):
    session["recipe"] = Recipe("lenet-fashion", schedule="iterative", rounds=4)
    state.move_cut(Cut(0.25, "layer", {"conv1": 0.1}, frozenset({"fc1"})))
    recipe = state.recipe_of(QUESTION)
    assert recipe.cut(recipe.amount) == state.cut()
    assert (recipe.target, recipe.schedule, recipe.rounds) == ("sparsity", "iterative", 4)
    assert (recipe.scorer, dict(recipe.knobs), recipe.granularity) == ("magnitude", {"p": 1}, "channel")


def test_an_aim_is_taken_once_and_only_by_its_own_model(session):
    recipe = Recipe("lenet-fashion")
    state.aim_at(recipe)
    assert state.take_aim("lenet-fashion") == recipe
    assert state.take_aim("lenet-fashion") is None
    state.aim_at(recipe)
    assert state.take_aim("mlp-digits") is None
    assert state.cut() == state.FIRST_CUT  # nothing is left of the cut that was to be solved


def test_a_move_of_the_server_answers_no_message_so_that_the_picture_can_undo_it(table):
    state.hear(message(seq=7), table, "board")
    assert state.heard() == 7
    state.move_cut(Cut(0.6))
    assert state.heard() == 0


def test_a_typed_threshold_is_the_answer_to_its_own_message(table):
    state.hear(message(seq=8, threshold={"row": "", "value": 4.5}), table, "board")
    assert state.heard() == 8


def test_the_revision_of_a_new_session_is_later_than_that_of_an_older_one(session):
    old = state.revision()
    state.move_cut(Cut(0.6))
    session.clear()
    assert state.revision() >= old


def test_a_recipe_brings_its_knobs_to_the_controls(session):
    state.aim_at(Recipe("lenet-fashion", scorer="magnitude", knobs={"p": 2}))
    assert (session["scorer"], session["knob.magnitude.p"]) == ("magnitude", 2)
