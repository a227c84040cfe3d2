"""The table of runs: one row a run, figures as in its result, nothing where nothing is known."""

import io

import pandas as pd
import pytest

from prunekit.reports.tables import COLUMNS, batch_sizes, csv, run_table
from tests.sample_runs import on_full_data, quick, recipe, run


def test_a_finished_run_is_a_row_with_the_figures_of_its_result():
    row = run_table([run(recipe(), finetuned=0.9, pruned=0.75)]).iloc[0]
    assert row["validation_baseline"] == 0.91
    assert row["validation_pruned"] == 0.75
    assert row["validation_finetuned"] == 0.9
    assert row["generalisation_gap"] == 0.02
    assert row["parameters_after"] == 50_000
    assert row["theoretical_speedup"] == 2.0
    assert row["wall_seconds"] == 9.5
    assert row["precision"] == "float32, channels last"


def test_what_a_running_run_does_not_know_yet_is_missing_and_not_zero():
    row = run_table([run(recipe(), state="running")]).iloc[0]
    assert row["state"] == "running"
    assert row["sparsity_target"] == 0.5
    for name in ("validation_finetuned", "parameters_after", "speedup", "theoretical_speedup", "wall_seconds"):
        assert pd.isna(row[name])


def test_a_pending_latency_is_missing_while_everything_else_is_there():
    row = run_table([run(recipe(), timed=False)]).iloc[0]
    assert pd.isna(row["latency_ms_after"])
    assert pd.isna(row["speedup"])
    assert row["macs_after"] == 800_000


def test_latency_is_told_for_the_batch_size_that_is_asked_for():
    runs = [run(recipe())]
    assert batch_sizes(runs) == [1, 64]
    assert run_table(runs)["latency_ms_before"].iloc[0] == 4.0
    assert run_table(runs, batch=1)["latency_ms_before"].iloc[0] == 0.2
    assert run_table(runs, batch=1)["speedup"].iloc[0] == pytest.approx(run_table(runs)["speedup"].iloc[0] ** 0.5)


def test_a_latency_of_another_batch_size_is_not_passed_off_as_the_one_asked_for():
    assert pd.isna(run_table([run(recipe())], batch=8)["latency_ms_before"].iloc[0])


def test_seeds_are_counted_over_finished_runs_that_differ_in_nothing_else():
    three = [run(recipe(seed=seed)) for seed in (0, 1, 2)]
    others = [run(recipe(training=quick(9))), on_full_data(run(recipe(seed=3)))]
    assert list(run_table(three + others)["seeds"]) == [3, 3, 3, 1, 1]


def test_a_run_that_is_not_over_has_no_seeds_beside_it_yet():
    table = run_table([run(recipe(seed=0)), run(recipe(seed=1), state="running")])
    assert list(table["seeds"].isna()) == [False, True]


def test_each_run_knows_how_it_stands_to_the_best_at_its_amount():
    values = {"taylor": 0.9, "contribution": 0.89, "random": 0.7}
    runs = [run(recipe(scorer=scorer), finetuned=value) for scorer, value in values.items()]
    assert list(run_table(runs)["standing"]) == ["best", "within noise", "behind"]


def test_a_run_that_stands_alone_is_neither_best_nor_behind():
    assert run_table([run(recipe()), run(recipe(amount=0.6))])["standing"].isna().all()


def test_rows_keep_the_order_they_were_given_in():
    runs = [run(recipe(amount=amount)) for amount in (0.7, 0.1, 0.4)]
    assert list(run_table(runs).index) == [r.id for r in runs]


def test_the_criterion_names_its_knobs_only_where_they_are_not_as_usual():
    runs = [run(recipe(knobs={"p": 1})), run(recipe(knobs={"p": 2}))]
    assert list(run_table(runs)["criterion"]) == ["Magnitude", "Magnitude (L2)"]


def test_the_file_has_every_column_and_the_line_that_repeats_the_run():
    asked = recipe(seed=7)
    read = pd.read_csv(io.StringIO(csv(run_table([run(asked), run(recipe(), state="queued")]))))
    assert {column.name for column in COLUMNS} <= set(read.columns)
    assert read["command"][0] == asked.command()
    assert read["seed"].tolist() == [7, 0]
    assert read["validation_finetuned"][0] == 0.9


def test_a_title_cannot_become_a_formula_in_a_spreadsheet():
    table = run_table([run(recipe())])
    table["title"] = "=1+1"
    assert pd.read_csv(io.StringIO(csv(table)))["title"][0] == "'=1+1"


def test_a_title_cannot_bring_html_into_what_the_chart_tells():
    known = run(recipe())
    object.__setattr__(known, "title", "<img src=x>")
    assert "&lt;img src=x&gt;" in run_table([known])["hover"].iloc[0]


def test_nobody_comes_upon_the_test_result_while_hovering():
    assert "test" not in run_table([run(recipe())])["hover"].iloc[0].lower()


def test_a_run_of_a_model_that_is_gone_is_still_told():
    known = run(recipe())
    known.recipe["model"] = "lost-model"
    row = run_table([known]).iloc[0]
    assert row["model"] == "lost-model"
    assert row["validation_finetuned"] == 0.9


def test_without_runs_the_table_is_empty_and_has_its_columns():
    table = run_table([])
    assert len(table) == 0
    assert "validation_finetuned" in table.columns
