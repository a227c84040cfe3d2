"""What is said beside the chart: nothing without a cause, and never more than fits."""

from prunekit.reports.remarks import (
    on_their_way,
    pending_remark,
    remarks,
    seeds_remark,
    slower_than_theory,
    without_result,
)
from prunekit.reports.tables import run_table
from tests.sample_runs import latency, recipe, run


def test_one_seed_is_called_a_single_run():
    assert "single run (one seed)" in seeds_remark(run_table([run(recipe())]))


def test_more_seeds_are_counted():
    assert "up to 2 seeds" in seeds_remark(run_table([run(recipe(seed=seed)) for seed in (0, 1)]))


def test_runs_on_their_way_are_counted():
    runs = [run(recipe(), state="queued"), run(recipe(amount=0.1), state="running"), run(recipe(amount=0.2))]
    assert on_their_way(run_table(runs)) == "2 runs are on their way."
    assert on_their_way(run_table(runs[2:])) == ""


def test_runs_that_are_over_without_a_result_are_counted_and_no_others():
    runs = [run(recipe(), state=state) for state in ("failed", "interrupted", "queued", "running")]
    runs += [run(recipe(amount=0.2))]
    assert without_result(run_table(runs)).startswith("2 runs are over without a result")
    assert without_result(run_table(runs[2:])) == ""


def test_untimed_runs_are_named_up_to_three():
    runs = [run(recipe(amount=0.1 * n), timed=False) for n in range(1, 6)]
    remark = pending_remark(run_table(runs))
    assert "“magnitude · channels · 10 % units · one-shot · 3 epochs”" in remark
    assert "and 2 more" in remark


def test_untimed_runs_are_of_interest_on_the_latency_axis_only():
    table = run_table([run(recipe(), timed=False)])
    assert any("pending" in sentence for sentence in remarks(table, "latency"))
    assert not any("pending" in sentence for sentence in remarks(table, "macs"))


def test_a_timing_while_the_machine_was_busy_is_named_on_the_latency_axis():
    steady, busy = run(recipe()), run(recipe(amount=0.8))
    busy.result.update(latency(2.0, spread=1.5))
    table = run_table([steady, busy])
    (said,) = [sentence for sentence in remarks(table, "latency") if "busy" in sentence]
    assert "80 % units" in said
    assert "50 % units" not in said
    assert not any("busy" in sentence for sentence in remarks(table, "macs"))


def test_zeros_that_save_no_time_are_explained():
    (sentence,) = slower_than_theory(run_table([run(recipe(granularity="weight", amount=0.9))]))
    assert sentence.endswith(
        "10.00× fewer MACs, 1.00× measured. Zeros stay dense: they are computed like any other number."
    )


def test_a_speedup_that_keeps_its_promise_needs_no_word():
    assert slower_than_theory(run_table([run(recipe(amount=0.3))])) == []


def test_what_is_slow_for_the_same_reason_is_said_once():
    runs = [run(recipe(granularity="weight", amount=a, seed=s)) for a in (0.8, 0.9) for s in (0, 1)]
    assert len(slower_than_theory(run_table(runs))) == 1


def test_without_runs_nothing_is_said():
    assert remarks(run_table([]), "latency") == []
