"""The points of a chart: means and spreads over seeds, of what belongs together and of nothing else."""

import dataclasses
import statistics

import pytest

from prunekit.reports.points import recipe_points
from prunekit.reports.tables import run_table
from tests.sample_runs import on_full_data, quick, recipe, run


def points(runs, split="validation", along="macs_after"):
    return recipe_points(run_table(runs), split, along)


def test_three_seeds_are_one_point_with_their_mean_and_standard_deviation():
    (point,) = points([run(recipe(seed=seed), finetuned=value) for seed, value in enumerate((0.88, 0.90, 0.92))])
    assert point.y == pytest.approx(0.90)
    assert point.spread == pytest.approx(0.02)  # n - 1: with n it would be 0.0163
    assert point.spread == pytest.approx(statistics.stdev(point.values))
    assert len(point.runs) == 3


def test_a_single_seed_has_no_spread():
    (point,) = points([run(recipe())])
    assert point.spread is None
    assert point.y == 0.9


def test_the_cost_is_a_mean_too():
    runs = [run(recipe(seed=seed)) for seed in (0, 1)]
    runs[1].result["macs_after"] += 1000
    assert points(runs)[0].x == 800_500


def test_the_interval_is_a_mean_over_the_seeds():
    (point,) = points([run(recipe(seed=seed), finetuned=value) for seed, value in enumerate((0.8, 0.9))])
    assert (point.low, point.high) == (pytest.approx(0.85 - 0.018), pytest.approx(0.85 + 0.016))


def test_other_settings_are_other_points():
    assert len(points([run(recipe()), run(recipe(training=quick(9))), run(recipe(amount=0.6))])) == 3


def test_a_seed_that_ran_twice_counts_once_by_its_newest_run():
    old, new = run(recipe(), finetuned=0.8), run(recipe(), finetuned=0.9, number=2)
    new = dataclasses.replace(new, created=old.created + 60)
    for order in ([old, new], [new, old]):
        (point,) = points(order)
        assert point.values == (0.9,)
        assert point.runs == (new.id,)


def test_runs_on_the_full_data_and_on_the_shipped_part_are_not_averaged():
    shipped, full = run(recipe(seed=0)), on_full_data(run(recipe(seed=1)))
    assert [len(point.values) for point in points([shipped, full])] == [1, 1]


def test_runs_without_the_metric_or_the_cost_are_no_points():
    runs = [run(recipe(amount=0.1), state="running"), run(recipe(amount=0.2), timed=False), run(recipe(amount=0.3))]
    assert [point.about["amount"] for point in points(runs, along="relative_time")] == [0.3]


def test_without_an_axis_a_point_has_no_cost():
    assert points([run(recipe())], along=None)[0].x is None
