"""From a need to a first recipe."""

import pytest

from prunekit.core.errors import BadSetting, UnknownName
from prunekit.core.proposals import GOALS, propose

MODEL = "lenet-fashion"


def test_smaller_by_thirty_percent_takes_thirty_percent_of_the_parameters_in_one_cut():
    recipe = propose(MODEL, "smaller", 30).recipe
    assert (recipe.target, recipe.amount, recipe.schedule) == ("parameters", 0.3, "one-shot")


def test_two_times_faster_takes_half_of_the_macs():
    recipe = propose(MODEL, "faster", 2).recipe
    assert (recipe.target, recipe.amount) == ("macs", 0.5)


def test_four_times_faster_is_reached_in_several_cuts():
    recipe = propose(MODEL, "faster", 4).recipe
    assert (recipe.amount, recipe.schedule) == (0.75, "iterative")
    assert recipe.rounds > 1


def test_fewer_points_to_give_take_less_away():
    amounts = [propose(MODEL, "careful", points).recipe.amount for points in (0.1, 0.5, 1, 5)]
    assert amounts == sorted(amounts)
    assert amounts[0] < 0.3
    assert amounts[-1] <= 0.7


@pytest.mark.parametrize("goal", GOALS)
def test_every_proposal_removes_channels_and_says_why_in_one_sentence(goal):
    proposal = propose(MODEL, goal)
    assert proposal.recipe.granularity == "channel"
    assert proposal.recipe.scope == "global"
    assert proposal.why.endswith(".")
    assert "{" not in proposal.why


def test_the_sentence_names_the_amount_that_the_recipe_takes():
    assert "40 %" in propose(MODEL, "smaller", 40).why


def test_a_goal_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(UnknownName, match="smaller"):
        propose(MODEL, "cheaper")


def test_an_amount_outside_the_limits_is_refused():
    with pytest.raises(BadSetting, match="between 5"):
        propose(MODEL, "smaller", 100)
