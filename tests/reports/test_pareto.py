"""The Pareto front of points one can check in the head."""

import math

from prunekit.reports.pareto import front


def test_what_is_beaten_in_both_is_not_on_the_front():
    assert front(costs=[1, 2, 3], metrics=[0.7, 0.6, 0.9]) == [0, 2]


def test_the_front_goes_from_the_cheapest_to_the_best():
    assert front(costs=[30, 10, 20], metrics=[0.9, 0.5, 0.8]) == [1, 2, 0]


def test_of_points_that_cost_the_same_the_better_one_stays():
    assert front(costs=[5, 5, 5], metrics=[0.6, 0.8, 0.7]) == [1]


def test_of_points_that_are_as_good_the_cheaper_one_stays():
    assert front(costs=[3, 1, 2], metrics=[0.8, 0.8, 0.8]) == [1]


def test_of_equal_points_the_first_stays():
    assert front(costs=[1, 1], metrics=[0.5, 0.5]) == [0]


def test_one_point_is_a_front():
    assert front(costs=[4], metrics=[0.1]) == [0]


def test_no_points_have_no_front():
    assert front([], []) == []


def test_points_with_something_missing_are_left_out():
    assert front(costs=[1, None, math.nan, 2, 3], metrics=[None, 0.9, 0.9, 0.5, math.nan]) == [3]


def test_costs_may_be_negative_as_where_more_is_better():
    assert front(costs=[-0.5, -0.9, 0.0], metrics=[0.9, 0.8, 0.85]) == [1, 0]
