"""The trade-off chart: where its points are, what stands beside them, and what is set off."""

import statistics

import pytest

from prunekit.core.descriptions import scorer_descriptions
from prunekit.core.tasks import CLASSIFICATION
from prunekit.reports.figures import AXES, COLOURS, FADED, MUTED, colour_of, tradeoff
from prunekit.reports.tables import run_table
from tests.sample_runs import recipe, run

RUNS = [
    run(recipe(amount=0.5), finetuned=0.9),
    run(recipe(amount=0.8), finetuned=0.86),
    run(recipe(scorer="random", amount=0.5), role="control", finetuned=0.8),
]


def drawn(runs=RUNS, axis="sparsity", **options):
    figure = tradeoff(run_table(runs), axis, CLASSIFICATION, **options)
    return figure, {trace.name: trace for trace in figure.data}


def test_points_stand_where_the_results_say():
    _figure, traces = drawn()
    points = traces["Magnitude · channels"]
    assert list(points.x) == [0.5, 0.8]
    assert list(points.y) == [0.9, 0.86]


@pytest.mark.parametrize(
    ("axis", "untouched", "pruned"),
    [("sparsity", 0, 0.5), ("parameters", 100_000, 50_000), ("macs", 1_600_000, 800_000), ("latency", 1.0, 1 / 2**0.6)],
)
def test_each_axis_shows_the_untouched_model_and_the_pruned_one(axis, untouched, pruned):
    _figure, traces = drawn(axis=axis)
    assert traces["Untouched model"].x[0] == untouched
    assert traces["Magnitude · channels"].x[0] == pytest.approx(pruned)


def test_error_bars_are_the_interval_of_the_examples():
    _figure, traces = drawn()
    bars = traces["Magnitude · channels"].error_y
    assert list(bars.array) == pytest.approx([0.016, 0.016])
    assert list(bars.arrayminus) == pytest.approx([0.018, 0.018])


def test_the_baseline_is_a_line_through_the_whole_chart():
    figure, traces = drawn()
    (line,) = figure.layout.shapes
    assert line.y0 == line.y1 == traces["Untouched model"].y[0] == 0.91


def test_the_random_control_is_muted_and_open():
    _figure, traces = drawn()
    control = traces["Random control · channels"]
    assert control.marker.color == MUTED
    assert control.marker.symbol.endswith("-open")


def test_several_seeds_become_a_mean_with_its_standard_deviation():
    values = [0.88, 0.90, 0.92]
    figure, _traces = drawn([run(recipe(seed=seed), finetuned=value) for seed, value in enumerate(values)])
    mean = figure.data[-1]
    assert mean.y[0] == pytest.approx(0.90)
    assert mean.error_y.array[0] == pytest.approx(statistics.stdev(values))
    assert "Mean of 3 seeds" in mean.customdata[0]


def test_a_run_that_is_not_timed_has_no_point_on_the_latency_axis():
    figure, _traces = drawn([run(recipe(amount=0.5)), run(recipe(amount=0.8), timed=False)], axis="latency")
    assert sum(len(trace.ids or ()) for trace in figure.data) == 1


def test_chosen_runs_are_set_off_from_the_others():
    figure, _traces = drawn(chosen=(RUNS[1].id,))
    seen = {run_id: trace.opacity for trace in figure.data for run_id in trace.ids or ()}
    assert seen[RUNS[1].id] == 1
    assert seen[RUNS[0].id] == seen[RUNS[2].id] == FADED


def test_a_criterion_is_in_the_legend_once_also_when_some_of_its_runs_are_chosen():
    figure, _traces = drawn(chosen=(RUNS[1].id,))
    listed = [trace.name for trace in figure.data if trace.showlegend is not False]
    assert listed == ["Untouched model", "Magnitude · channels", "Random control · channels"]


def test_the_test_set_is_drawn_only_where_it_is_asked_for():
    _figure, traces = drawn(split="test")
    assert list(traces["Magnitude · channels"].y) == pytest.approx([0.895, 0.855])
    assert "Test" in traces["Magnitude · channels"].hovertemplate
    assert "Test" not in drawn()[1]["Magnitude · channels"].hovertemplate


def test_weights_and_channels_are_told_apart_by_their_shape():
    _figure, traces = drawn([run(recipe()), run(recipe(granularity="weight"))])
    assert traces["Magnitude · channels"].marker.symbol == "circle"
    assert traces["Magnitude · weights"].marker.symbol == "square"


def test_a_criterion_keeps_its_colour_whatever_else_is_drawn():
    _figure, alone = drawn([run(recipe(scorer="taylor"))])
    _figure, among = drawn([*RUNS, run(recipe(scorer="taylor"))])
    assert alone["Taylor · channels"].marker.color == among["Taylor · channels"].marker.color == colour_of("taylor")


def test_criteria_have_colours_of_their_own():
    names = list(scorer_descriptions())[: len(COLOURS)]
    assert len({colour_of(name) for name in names}) == len(names)


@pytest.mark.parametrize("axis", AXES)
def test_a_chart_without_runs_is_empty_and_has_its_axes(axis):
    figure, _traces = drawn([], axis=axis)
    assert len(figure.data) == 0
    assert figure.layout.xaxis.title.text


@pytest.mark.parametrize("page", ["#fdfdfb", "#131917"])
@pytest.mark.parametrize("colour", [*COLOURS, MUTED])
def test_every_colour_can_be_seen_on_a_light_and_on_a_dark_page(colour, page):
    # WCAG 2.1 asks for 3:1 for graphical objects.
    brighter, darker = sorted((luminance(colour), luminance(page)), reverse=True)
    assert (brighter + 0.05) / (darker + 0.05) >= 3


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
