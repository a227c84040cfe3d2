"""Within noise or not: Welch's test against the printed tables, and criteria whose order is plain to see."""

import math

import pytest

from prunekit.reports.noise import comparisons, differ, two_sided_p, welch_p
from prunekit.reports.points import recipe_points
from prunekit.reports.tables import run_table
from tests.sample_runs import quick, recipe, run


def of(scorer, *values, **changes):
    """The runs of a criterion, one a seed."""
    return [run(recipe(scorer=scorer, seed=seed, **changes), finetuned=value) for seed, value in enumerate(values)]


def points(*groups):
    return recipe_points(run_table([one for group in groups for one in group]), "validation")


def told(comparison):
    names = ([p.about["scorer"] for p in group] for group in (comparison.best, comparison.near, comparison.behind))
    return tuple(names)


@pytest.mark.parametrize(
    ("t", "freedom"), [(12.706, 1), (4.303, 2), (2.776, 4), (2.228, 10), (2.042, 30), (1.984, 100), (3.182, 3)]
)
def test_the_critical_values_of_students_table_have_a_p_of_a_twentieth(t, freedom):
    assert two_sided_p(t, freedom) == pytest.approx(0.05, abs=2e-4)


def test_with_one_degree_of_freedom_it_is_cauchys_distribution():
    for t in (0.0, 0.3, 1.0, 5.0):
        assert two_sided_p(t, 1) == pytest.approx(1 - 2 * math.atan(t) / math.pi)


def test_fractional_degrees_of_freedom_lie_between_the_whole_ones():
    assert two_sided_p(2.5, 3) > two_sided_p(2.5, 3.4) > two_sided_p(2.5, 4)


def test_equal_spreads_and_sizes_give_students_own_test():
    # Means 2 and 5, variance 1 each: t = 3 / sqrt(2 / 3), with 4 degrees of freedom.
    assert welch_p([1, 2, 3], [4, 5, 6]) == pytest.approx(two_sided_p(3 / math.sqrt(2 / 3), 4))


def test_it_agrees_with_another_implementation_where_the_spreads_differ():
    stats = pytest.importorskip("scipy.stats")
    one, other = [0.91, 0.912, 0.909], [0.90, 0.87, 0.93, 0.88]
    assert welch_p(one, other) == pytest.approx(stats.ttest_ind(one, other, equal_var=False).pvalue, rel=1e-4)


def test_seeds_that_change_nothing_are_no_certainty_the_intervals_decide():
    same, close, far = points(
        of("taylor", 0.9, 0.9, 0.9), of("magnitude", 0.899, 0.899, 0.899), of("random", 0.8, 0.8, 0.8)
    )
    assert not differ(same, close)
    assert differ(same, far)


def test_single_seeds_differ_when_their_intervals_are_apart():
    near, far, best = points(of("magnitude", 0.88), of("random", 0.80), of("taylor", 0.9))
    assert not differ(best, near)
    assert differ(best, far)
    assert differ(far, best)


def test_one_seed_against_three_goes_by_the_intervals():
    three, one = points(of("taylor", 0.900, 0.901, 0.899), of("random", 0.89))
    assert not differ(three, one)


def test_three_seeds_against_three_go_by_their_spread_and_not_by_the_intervals():
    best, other = points(of("taylor", 0.900, 0.901, 0.899), of("random", 0.890, 0.891, 0.889))
    assert other.high > best.low
    assert differ(best, other)


def test_the_best_comes_first_and_the_others_are_near_or_behind():
    found = comparisons(
        points(
            of("random", 0.80, 0.81, 0.79),
            of("taylor", 0.90, 0.91, 0.89),
            of("contribution", 0.895, 0.905, 0.885),
            of("magnitude", 0.85, 0.86, 0.84),
        )
    )
    assert [told(one) for one in found] == [(["taylor"], ["contribution"], ["magnitude", "random"])]


def test_equal_means_are_best_together_by_name_whatever_the_order_and_the_last_bit():
    # As sums of thousandths they are equal, as means of floats they are not.
    taylor, magnitude = of("taylor", 0.882, 0.985, 0.890), of("magnitude", 0.947, 0.939, 0.871)
    assert len({point.y for point in points(taylor, magnitude)}) == 2
    rest = of("contribution", 0.918, 0.920, 0.916), of("random", 0.40, 0.41, 0.39)
    for groups in ((taylor, magnitude, *rest), (*rest, magnitude, taylor)):
        (found,) = comparisons(points(*groups))
        assert told(found) == (["magnitude", "taylor"], ["contribution"], ["random"])


def test_behind_several_leaders_is_who_differs_from_all_of_them():
    steady, shaky = of("taylor", 0.900, 0.901, 0.899), of("magnitude", 0.90, 0.96, 0.84)
    other = of("contribution", 0.890, 0.891, 0.889)
    assert differ(*points(steady, other))
    assert not differ(*points(shaky, other))
    (found,) = comparisons(points(steady, shaky, other))
    assert told(found) == (["magnitude", "taylor"], ["contribution"], [])


@pytest.mark.parametrize(
    "other", [{"amount": 0.6}, {"granularity": "weight"}, {"training": quick(9)}, {"scope": "layer"}]
)
def test_recipes_that_differ_in_more_than_the_criterion_are_not_compared(other):
    assert comparisons(points(of("taylor", 0.9), of("random", 0.8, **other))) == []


def test_seeds_of_one_criterion_are_not_compared_with_each_other():
    assert comparisons(points(of("taylor", 0.9, 0.8))) == []


def test_one_criterion_with_other_knobs_is_another_criterion():
    (found,) = comparisons(points(of("magnitude", 0.9), of("magnitude", 0.8, knobs={"p": 2})))
    assert [p.about["criterion"] for p in (*found.best, *found.behind)] == ["Magnitude", "Magnitude (L2)"]
