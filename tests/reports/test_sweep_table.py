"""A sweep in numbers: means and spreads over the seeds, and the chart that is drawn of them."""

import csv
import io

import pytest

from prunekit.core.tasks import CLASSIFICATION, REGRESSION
from prunekit.reports.sweep_chart import sweep_chart
from prunekit.reports.sweep_table import sweep_csv, sweep_lines
from tests.sample_runs import on_full_data, recipe, run


def runs(scorer: str = "taylor", amount: float = 0.5, **finetuned):
    """One finished run for each seed0=0.9, seed1=0.8 ..."""
    return [
        run(recipe(scorer=scorer, amount=amount, seed=int(name[4:])), finetuned=value)
        for name, value in finetuned.items()
    ]


def test_two_seeds_at_90_and_80_percent_are_85_with_a_spread_of_7():
    [line] = sweep_lines(runs(seed0=0.9, seed1=0.8))
    assert (line.seeds, line.validation) == (2, pytest.approx(0.85))
    assert line.validation_spread == pytest.approx(0.0707, abs=1e-4)
    assert line.parameters_gone == pytest.approx(0.5)


def test_a_single_seed_has_no_spread():
    [line] = sweep_lines(runs(seed0=0.9))
    assert (line.seeds, line.validation_spread, line.test_spread) == (1, None, None)


def test_runs_on_the_full_data_are_a_line_of_their_own():
    shipped, full = runs(seed0=0.9, seed1=0.8)
    assert [line.seeds for line in sweep_lines([shipped, on_full_data(full)])] == [1, 1]


def test_only_finished_runs_count():
    unfinished = [
        run(recipe(scorer="taylor", seed=n), state) for n, state in enumerate(("failed", "queued", "running"))
    ]
    assert sweep_lines(unfinished) == []


def test_lines_are_sorted_by_granularity_and_amount_and_keep_the_order_of_the_criteria():
    mixed = [*runs("taylor", 0.7, seed0=0.9), *runs("taylor", 0.3, seed0=0.9), *runs("random", 0.3, seed0=0.9)]
    weights = run(recipe(scorer="taylor", granularity="weight", amount=0.1))
    assert [(line.granularity, line.amount, line.scorer) for line in sweep_lines([weights, *mixed])] == [
        ("channel", 0.3, "taylor"), ("channel", 0.3, "random"), ("channel", 0.7, "taylor"), ("weight", 0.1, "taylor")
    ]  # fmt: skip


def test_the_file_has_a_row_a_line_and_leaves_what_is_unknown_empty():
    lines = sweep_lines(runs(seed0=0.9))
    [row] = csv.DictReader(io.StringIO(sweep_csv(lines)))
    assert (row["scorer"], row["amount"], row["validation_spread"]) == ("taylor", "0.5", "")
    assert float(row["validation"]) == lines[0].validation


def test_the_axis_is_that_of_the_plan_while_the_chart_fills():
    one = sweep_chart(sweep_lines(runs(amount=0.3, seed0=0.9)), [0.3, 0.5, 0.7], CLASSIFICATION)
    full = [*runs(amount=0.3, seed0=0.9), *runs(amount=0.7, seed0=0.8)]
    all_ = sweep_chart(sweep_lines(full), [0.3, 0.5, 0.7], CLASSIFICATION)
    assert [one["xAxis"][end] for end in ("min", "max")] == [all_["xAxis"][end] for end in ("min", "max")] == [27, 73]


def test_the_axis_of_values_holds_the_untouched_model_and_the_ends_of_the_bars():
    options = sweep_chart(sweep_lines(runs(seed0=0.75, seed1=0.65)), [0.5], CLASSIFICATION)
    assert (options["yAxis"]["min"], options["yAxis"]["max"]) == (60, 95)  # 70 - 7 below, 91 above
    assert options["series"][0]["markLine"]["data"] == [{"yAxis": 91.0}]


def test_an_untouched_model_that_all_runs_are_better_than_is_on_the_chart_too():
    options = sweep_chart(sweep_lines(runs(seed0=0.97)), [0.5], CLASSIFICATION)
    assert options["yAxis"]["min"] <= 91 - 1


def test_each_criterion_is_one_entry_of_the_legend_with_its_bars():
    lines = sweep_lines([*runs("taylor", seed0=0.9, seed1=0.8), *runs("random", seed0=0.5)])
    series = sweep_chart(lines, [0.5], CLASSIFICATION)["series"]
    assert [(one["name"], len(one["data"])) for one in series] == [("Taylor", 1), ("Taylor", 3), ("Random", 1)]


def test_a_metric_that_is_no_fraction_is_drawn_as_it_is():
    options = sweep_chart(sweep_lines(runs(seed0=0.9)), [0.5], REGRESSION)
    assert options["series"][0]["data"] == [[50, 0.9]]
    assert options["yAxis"]["scale"] is True


def test_without_any_finished_run_there_is_nothing_to_draw():
    assert sweep_chart([], [], CLASSIFICATION)["series"] == []


def test_a_line_says_how_it_stands_to_the_best_of_the_same_cut():
    apart = [*runs("taylor", seed0=0.9, seed1=0.89), *runs("random", seed0=0.5, seed1=0.52)]
    near = runs("magnitude", seed0=0.9, seed1=0.88)
    assert {line.scorer: line.standing for line in sweep_lines([*apart, *near])} == {
        "taylor": "best",
        "magnitude": "within noise",
        "random": "behind",
    }
    assert [line.standing for line in sweep_lines(near)] == [""]
