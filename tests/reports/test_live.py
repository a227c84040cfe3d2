"""The live curves: plain options that can be sent as JSON, in percent where the metric is a fraction."""

import json

from prunekit.core.tasks import CLASSIFICATION, REGRESSION
from prunekit.reports.live import live_loss, live_metric, live_sparsity
from prunekit.reports.progress import Curves, curves
from tests.sample_runs import events

SEEN = curves(events(epochs=3, done=2))


def test_the_options_are_plain_json_and_span_all_epochs():
    for options in (live_loss(SEEN, 3), live_metric(SEEN, 3, CLASSIFICATION), live_sparsity(SEEN, 3)):
        assert json.loads(json.dumps(options)) == options
        assert options["xAxis"]["max"] == 3


def test_a_fraction_is_drawn_in_percent_and_any_other_metric_as_it_is():
    validation = {"percent": live_metric(SEEN, 3, CLASSIFICATION), "plain": live_metric(SEEN, 3, REGRESSION)}
    last = {name: options["series"][1]["data"][-1] for name, options in validation.items()}
    assert last == {"percent": [2, 88.0], "plain": [2, 0.88]}


def test_the_axis_of_a_fraction_begins_at_the_ten_below_its_lowest_value_and_ends_at_a_hundred():
    axis = live_metric(SEEN, 3, CLASSIFICATION)["yAxis"]
    assert min(value for _x, value in SEEN.validation) == 0.6
    assert (axis["min"], axis["max"]) == (60, 100)


def test_sparsity_begins_at_zero_and_steps_up_at_the_cut():
    assert live_sparsity(SEEN, 3)["series"][0]["data"][:3] == [[0.0, 0.0], [0, 0.0], [0, 50.0]]


def test_before_anything_is_told_the_charts_are_empty():
    assert live_sparsity(Curves(), 3)["series"][0]["data"] == []
    assert live_loss(Curves(), 0)["xAxis"]["max"] == 1
