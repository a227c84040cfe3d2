"""Schedules: what share of the target is reached after each round, and which epochs each round gets."""

import inspect
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunekit.core.errors import UnknownName
from prunekit.core.recipe import Recipe
from prunekit.core.settings import settings_of
from prunekit.schedules import SCHEDULES, epochs_of_round, rules, schedule


def test_one_shot_cuts_everything_at_once_however_many_rounds_are_asked_for():
    assert schedule("one-shot").shares(1) == [1.0]
    assert schedule("one-shot").shares(5) == [1.0]


def test_iterative_cuts_the_same_amount_in_each_round():
    assert schedule("iterative").shares(1) == [1.0]
    assert schedule("iterative").shares(4) == [0.25, 0.5, 0.75, 1.0]


@pytest.mark.parametrize("name", SCHEDULES)
@given(rounds=st.integers(1, 100))
def test_every_schedule_grows_and_ends_exactly_at_the_target(name, rounds):
    shares = schedule(name).shares(rounds)
    assert shares[-1] == 1.0
    assert all(before < after for before, after in itertools.pairwise(shares))
    assert shares[0] > 0
    assert len(shares) <= rounds


def test_an_unknown_schedule_is_answered_with_those_there_are():
    with pytest.raises(UnknownName, match=r"no schedule called “cubic”; choose one of: iterative, one-shot"):
        schedule("cubic")


def test_every_rule_is_the_rule_of_a_schedule():
    assert {rule for _name, rule in inspect.getmembers(rules, inspect.isfunction)} == {
        s.rule for s in SCHEDULES.values()
    }


def test_a_recipe_offers_exactly_these_schedules_under_the_same_labels():
    offered = next(s for s in settings_of(Recipe) if s.name == "schedule")
    assert dict(zip(offered.choices, offered.labels, strict=True)) == {s.name: s.label for s in SCHEDULES.values()}


@pytest.mark.parametrize(
    ("epochs", "rounds", "shared"),
    [(6, 3, [2, 2, 2]), (5, 3, [1, 2, 2]), (6, 4, [1, 1, 2, 2]), (1, 3, [0, 0, 1]), (0, 2, [0, 0]), (3, 1, [3])],
)
def test_epochs_are_shared_out_and_the_last_rounds_get_the_rest(epochs, rounds, shared):
    assert [epochs_of_round(epochs, rounds, r) for r in range(rounds)] == shared


@given(epochs=st.integers(0, 1000), rounds=st.integers(1, 100))
def test_no_epoch_is_lost_and_no_round_gets_two_more_than_another(epochs, rounds):
    shared = [epochs_of_round(epochs, rounds, r) for r in range(rounds)]
    assert sum(shared) == epochs
    assert max(shared) - min(shared) <= 1
    assert shared == sorted(shared)
