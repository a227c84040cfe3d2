"""The trade-off chart: where its points are, what stands beside them, and what is set off."""

import statistics

import pytest

from prunekit.core.descriptions import scorer_descriptions
from prunekit.core.tasks import CLASSIFICATION
from prunekit.reports.axes import AXES, unit_of_time
from prunekit.reports.colours import COLOURS, MUTED, colour_of
from prunekit.reports.figures import tradeoff
from prunekit.reports.marks import FADED
from prunekit.reports.tables import run_table
from tests.sample_runs import on_full_data, quick, recipe, run

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
    [
        ("sparsity", 0, 0.5),
        ("parameters", 100_000, 50_000),
        ("macs", 1_600_000, 800_000),
        ("bytes", 400_000, 200_000),
        ("latency", 1.0, 1 / 2**0.6),
        ("time", None, 9.5),
    ],
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
    assert "Mean of 3 seeds: 90.0 % ± 2.00" in mean.customdata[0]
    assert len(mean.ids[0].split()) == 3


def test_the_seeds_behind_a_mean_are_pale_and_have_no_bars():
    figure, _traces = drawn([run(recipe(seed=seed)) for seed in (0, 1)])
    (seeds,) = [trace for trace in figure.data if len(trace.ids or ()) == 2]
    assert seeds.marker.opacity < 0.5
    assert seeds.error_y.array is None


def test_a_seed_under_the_sign_of_its_mean_leaves_the_click_to_the_mean():
    runs = [run(recipe(seed=seed), finetuned=value) for seed, value in enumerate((0.80, 0.90, 1.00))]
    figure, _traces = drawn(runs)
    silent = [run_id for trace in figure.data if trace.hoverinfo == "skip" for run_id in trace.ids or ()]
    assert silent == [runs[1].id]


def test_a_mean_is_of_the_seeds_that_are_on_the_axis():
    runs = [run(recipe(seed=0), timed=False), run(recipe(seed=1)), run(recipe(seed=2))]
    figure, _traces = drawn(runs, axis="latency")
    assert "Mean of 2 seeds" in figure.data[-1].customdata[0]
    figure, _traces = drawn(runs[:2], axis="latency")
    assert [list(trace.ids) for trace in figure.data if trace.ids] == [[runs[1].id]]
    assert figure.data[-1].error_y.array  # of its examples


def connecting(figure):
    return [trace for trace in figure.data if trace.mode == "lines" and " · " in trace.name]


def test_the_means_of_one_criterion_are_connected_along_the_axis():
    runs = [run(recipe(seed=seed, amount=amount)) for seed in (0, 1) for amount in (0.8, 0.5)]
    (line,) = connecting(drawn(runs)[0])
    assert list(line.x) == [0.5, 0.8]
    assert line.hoverinfo == "skip"  # neither told of nor clicked
    assert not line.showlegend


def test_two_single_runs_are_not_connected_and_three_are():
    assert connecting(drawn([run(recipe(amount=a)) for a in (0.3, 0.5)])[0]) == []
    (line,) = connecting(drawn([run(recipe(amount=a)) for a in (0.5, 0.7, 0.3)])[0])
    assert list(line.x) == [0.3, 0.5, 0.7]


def test_recipes_that_differ_in_more_than_the_amount_are_not_connected():
    runs = [run(recipe(amount=0.3)), run(recipe(amount=0.5)), run(recipe(amount=0.7, training=quick(9)))]
    assert connecting(drawn(runs)[0]) == []


def test_nothing_is_connected_along_the_time_that_runs_took():
    runs = [run(recipe(amount=amount)) for amount in (0.3, 0.5, 0.7)]
    assert connecting(drawn(runs, axis="macs")[0])
    assert connecting(drawn(runs, axis="time")[0]) == []


def test_two_lines_of_one_criterion_do_not_run_into_each_other():
    runs = [run(recipe(amount=a, training=quick(n))) for n in (3, 9) for a in (0.3, 0.5, 0.7)]
    (line,) = connecting(drawn(runs)[0])
    assert list(line.x) == [0.3, 0.5, 0.7, None, 0.3, 0.5, 0.7]


def test_the_front_ends_at_the_untouched_model_where_nothing_beats_it():
    _figure, traces = drawn(axis="macs")
    line = traces["Pareto front"]
    assert list(line.x) == [320_000, 800_000, 1_600_000]
    assert list(line.y) == [0.86, 0.9, 0.91]
    assert line.line.shape == "hv"


def test_an_untouched_model_that_is_beaten_is_not_on_the_front():
    _figure, traces = drawn([run(recipe(amount=0.5), finetuned=0.92), run(recipe(amount=0.8))], axis="macs")
    assert list(traces["Pareto front"].x) == [320_000, 800_000]


def test_more_sparsity_is_better():
    runs = [*RUNS, run(recipe(scorer="taylor", amount=0.3), finetuned=0.89)]
    _figure, traces = drawn(runs)
    assert list(traces["Pareto front"].x) == [0, 0.5, 0.8]  # 30 % at 0.89 is beaten by 50 % at 0.9
    assert traces["Pareto front"].line.shape == "vh"


TWO_MODELS = [run(recipe(amount=a, model=m)) for a in (0.5, 0.8) for m in ("mlp-digits", "lenet-fashion")]


def panels(figure):
    """By the title of each panel, from the top downwards, its traces by name."""
    titles = {note.yref.removesuffix(" domain"): note.text for note in figure.layout.annotations}
    tops = {axis: figure.layout[axis.replace("y", "yaxis")].domain[1] for axis in titles}
    return {
        titles[axis]: {trace.name: trace for trace in figure.data if trace.yaxis == axis}
        for axis in sorted(titles, key=tops.get, reverse=True)
    }


def test_each_model_has_a_panel_of_its_own_and_the_asked_one_comes_first():
    figure, _traces = drawn(TWO_MODELS, first="lenet-fashion")
    own = panels(figure)
    assert list(own) == ["<b>LeNet on Fashion-MNIST</b>", "<b>Perceptron on digits</b>"]
    assert next(iter(panels(drawn(TWO_MODELS, first="mlp-digits")[0]))) == "<b>Perceptron on digits</b>"
    names = {"Untouched model", "Pareto front", "Magnitude · channels"}
    assert [set(traces) for traces in own.values()] == [names, names]
    ids = {one.id for one in TWO_MODELS if one.recipe["model"] == "lenet-fashion"}
    assert set(own["<b>LeNet on Fashion-MNIST</b>"]["Magnitude · channels"].ids) == ids


def test_panels_do_not_overlap_and_have_axes_and_a_baseline_each():
    figure, _traces = drawn(TWO_MODELS)
    layout = figure.layout
    assert layout.yaxis.domain[0] > layout.yaxis2.domain[1] > layout.yaxis2.domain[0] == 0
    assert (layout.xaxis.anchor, layout.xaxis2.anchor) == ("y", "y2")
    assert layout.xaxis.title.text == layout.xaxis2.title.text
    assert [(line.xref, line.yref) for line in layout.shapes] == [("x domain", "y"), ("x2 domain", "y2")]
    assert layout.height > drawn()[0].layout.height


def test_panels_share_one_legend_in_which_a_name_stands_once():
    figure, _traces = drawn([*TWO_MODELS, run(recipe(scorer="taylor"))], first="lenet-fashion")
    listed = [trace.name for trace in figure.data if trace.showlegend]
    assert sorted(listed) == ["Magnitude · channels", "Pareto front", "Taylor · channels", "Untouched model"]
    assert all(trace.legendgroup == trace.name for trace in figure.data)


@pytest.mark.parametrize("of_panel", [0, 1])
def test_the_legend_of_panels_shows_a_sign_that_is_not_faded(of_panel):
    chosen = TWO_MODELS[of_panel].id
    figure, _traces = drawn(TWO_MODELS, first=TWO_MODELS[0].recipe["model"], chosen=(chosen,))
    by_name = {trace.name: trace for trace in figure.data if trace.showlegend}
    shown = by_name["Magnitude · channels"]
    assert (shown.opacity, shown.ids) == (1, (chosen,))


def test_a_single_panel_has_no_title():
    assert not drawn()[0].layout.annotations


def test_runs_on_the_full_data_have_a_panel_a_front_and_an_untouched_model_of_their_own():
    shipped = [run(recipe(amount=a)) for a in (0.5, 0.8)]
    full = [on_full_data(run(recipe(amount=a))) for a in (0.3, 0.6)]
    waiting = run(recipe(amount=0.9), state="queued")
    for one in full:
        one.result["validation_baseline"] = 0.93
    figure, _traces = drawn([*shipped, *full, waiting], axis="macs")
    own = panels(figure)
    assert list(own["<b>1000 validation examples</b>"]["Pareto front"].x) == [320_000, 1_600_000]
    assert list(own["<b>6000 validation examples</b>"]["Pareto front"].x) == [640_000, 1_600_000]
    assert sorted(line.y0 for line in figure.layout.shapes) == [0.91, 0.93]


def test_the_front_is_of_means_and_not_of_lucky_seeds():
    runs = [run(recipe(seed=s), finetuned=v) for s, v in enumerate((0.95, 0.79))] + [run(recipe(scorer="taylor"))]
    assert list(drawn(runs, axis="macs")[1]["Pareto front"].y) == [0.9, 0.91]


def test_a_front_of_test_results_is_chosen_on_validation():
    lucky = run(recipe(scorer="random"), finetuned=0.85)
    lucky.result["test_finetuned"] = 0.94
    _figure, traces = drawn([run(recipe(), finetuned=0.9), lucky], axis="macs", split="test")
    assert list(traces["Pareto front, chosen on validation"].y) == pytest.approx([0.895, 0.905])


def test_the_wall_time_is_told_in_a_unit_that_reads_well():
    long = run(recipe())
    long.result["wall_seconds"] = 600.0
    figure, traces = drawn([long], axis="time")
    assert list(traces["Magnitude · channels"].x) == [10]
    assert figure.layout.xaxis.title.text == "Time that the run took, in minutes"
    assert unit_of_time(20.0)[1] == "seconds"
    assert unit_of_time(4 * 3600)[1] == "hours"


def test_a_measured_time_has_the_bar_of_its_quartiles_on_the_right_sides():
    _figure, traces = drawn([run(recipe(amount=0.5))], axis="latency")
    point = traces["Magnitude · channels"]
    assert list(point.error_x.array) == pytest.approx([point.x[0] * 0.1])
    assert list(point.error_x.arrayminus) == pytest.approx([point.x[0] * (1 - 1 / 1.1)])


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
    assert listed == ["Untouched model", "Pareto front", "Magnitude · channels", "Random control · channels"]


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
