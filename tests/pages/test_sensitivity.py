"""The Sensitivity page: measured cell by cell, stopped, found again, and turned into a cut."""

import json

import pytest

from prunekit.core.cut_table import CutTable
from prunekit.core.cuts import Cut
from prunekit.core.errors import PrunekitError
from prunekit.ui.panels import scan
from tests.app_over_toy import AppOverToy, elements, tiles
from tests.pages.reading import address_of, as_read, errors

ALL = 5 * 9


@pytest.fixture
def app(monkeypatch):
    """The app over a toy engine of five layers."""
    return AppOverToy(monkeypatch)


def press(at, key: str):
    at.button(key=key).click().run()
    assert not at.exception, [e.value for e in at.exception]
    return at


def measured(app, **session):
    """The page when everything is measured."""
    at = press(app.open("sensitivity", **session), "measure")
    for _look in range(20):
        if len(scan_of(at)) == ALL:
            return at.run()
        at.run()
    raise AssertionError(f"{len(scan_of(at))} of {ALL} cells")


def scan_of(at) -> dict:
    [cells] = at.session_state["scans"].values()
    return cells


def charts(at) -> list[dict]:
    return [json.loads(e.proto.spec) for e in elements(at) if e.type == "plotly_chart"]


def test_nothing_is_computed_before_somebody_asks(app):
    at = app.open("sensitivity")
    assert not app.engine.asked_for("sensitivity", "scan")
    assert charts(at) == []
    assert any("5 rows · 45 of 45 measurements to go" in as_read(c.value) for c in at.caption)


def test_the_map_fills_and_says_in_words_what_it_shows(app):
    at = measured(app)
    heat, lines = charts(at)
    assert [trace["type"] for trace in heat["data"]] == ["heatmap", "heatmap"]
    assert heat["layout"]["yaxis"]["ticktext"] == ["conv1", "conv2", "conv3", "conv4", "conv5"]
    assert len(lines["data"]) == 5
    assert any("Half of conv1 costs 5.0 points, half of conv5 1.0 points." in as_read(m.value) for m in at.markdown)
    assert all(b.key != "measure" for b in at.button)


def test_every_cell_is_asked_once_and_beside_no_other_preview(app):
    measured(app)
    asked = [arguments[-2:] for arguments in app.engine.asked_for("sensitivity", "scan")]
    assert len(asked) == len(set(asked)) == ALL


def test_it_stops_where_it_is_and_goes_on_from_there(app, monkeypatch):
    monkeypatch.setattr(scan, "LOOK_SECONDS", 0)
    at = press(app.open("sensitivity"), "measure")
    press(at, "stop_measuring")
    before = len(scan_of(at))
    assert before == scan.AHEAD
    at.run()
    assert len(scan_of(at)) == before
    assert at.button(key="measure").label == "Measure the rest"
    press(at, "measure")
    assert len(scan_of(at)) == 2 * before


def test_what_was_measured_before_is_there_at_once(app):
    measured(app)
    at = app.open("sensitivity")
    assert len(scan_of(at)) == ALL
    assert len(charts(at)) == 2
    assert len(app.engine.asked_for("sensitivity", "scan")) == ALL


def test_what_goes_wrong_is_said_until_it_is_tried_again(app, monkeypatch):
    def fail(*_args):
        raise PrunekitError("The worker has died.")

    right = app.engine.sensitivity
    monkeypatch.setattr(app.engine, "sensitivity", fail)
    at = press(app.open("sensitivity"), "measure")
    at.run()
    assert errors(at) == ["The worker has died."]
    monkeypatch.setattr(app.engine, "sensitivity", right)
    press(at, "measure")
    assert errors(at) == []
    assert len(scan_of(at)) > 0


def test_a_loss_becomes_a_cut_with_what_it_really_costs(app):
    at = press(measured(app), "allocate")
    table = CutTable.from_plain(app.engine.exploration("lenet-fashion", "taylor", {}, "channel", 0, 512)["table"])
    cut = Cut.from_plain(app.engine.asked_for("preview", "preview")[-1][-1])
    assert cut.overrides
    shown = tiles(at)
    assert shown["Sparsity"][1] == f"{table.kept(cut).sum()} of {table.units.sum()} channels kept"
    assert shown["Row by row"][0] in ("0.9 points", "1.0 points")
    assert shown["The whole cut really costs"][0] == "nothing"  # the toy looks at the sparsity of the whole net alone
    heat = charts(at)[0]
    assert len(heat["layout"]["shapes"]) == len(cut.overrides)


def test_where_the_whole_cut_costs_more_one_is_searched_that_does_not(app, monkeypatch):
    honest = app.engine.preview

    def together(*args):
        cut = Cut.from_plain(args[-1])
        lost = 0.005 * len(cut.overrides)
        return honest(*args) | {"value": 0.9 - lost}

    monkeypatch.setattr(app.engine, "preview", together)
    at = press(measured(app), "allocate")
    assert any("Together the rows lose more" in as_read(m.value) for m in at.markdown)
    press(at, "allocation_search_button")
    cost = tiles(at)["The whole cut really costs"][0]
    assert cost in ("nothing", "0.5 points", "1.0 points")


def test_where_no_cut_keeps_the_loss_that_is_said(app, monkeypatch):
    honest = app.engine.preview
    lost = lambda cut: 0.3 if cut["overrides"] else 0.0  # noqa: E731
    monkeypatch.setattr(app.engine, "preview", lambda *args: honest(*args) | {"value": 0.9 - lost(args[-1])})
    at = press(press(measured(app), "allocate"), "allocation_search_button")
    said = [as_read(warning.value) for warning in at.warning]
    assert any("No cut that these measurements allow" in sentence for sentence in said)
    assert tiles(at)["Sparsity"][0] == "0 %"


def test_the_cut_goes_on_to_prune_as_a_recipe(app):
    at = press(press(measured(app), "allocate"), "allocation_prune")
    recipe = at.session_state["recipe"]
    assert recipe.amount == 0
    assert recipe.overrides == Cut.from_plain(app.engine.asked_for("preview", "preview")[-1][-1]).overrides


def test_the_cut_goes_on_to_explore(app):
    at = press(press(measured(app), "allocate"), "allocation_explore")
    assert at.session_state["cut"].overrides


def test_the_address_says_what_is_asked_and_a_link_brings_it_back(app):
    at = app.open("sensitivity", {"model": "lenet-fashion", "criterion": "magnitude", "granularity": "weight"})
    assert (at.session_state["scorer"], at.session_state["granularity"]) == ("magnitude", "weight")
    assert address_of(at)["granularity"] == "weight"


def test_a_model_without_data_says_so(app):
    at = app.open("sensitivity", {"model": "torchvision/resnet18"})
    assert any("no data set here" in as_read(m.value) for m in at.markdown)


def test_to_look_at_what_is_measured_stops_no_other_measurement(app, monkeypatch):
    measured(app)
    monkeypatch.setattr(scan, "LOOK_SECONDS", 0)
    at = press(app.open("sensitivity", scorer="random"), "measure")
    begun = at.session_state["measuring"]
    at.selectbox(key="scorer").set_value("magnitude").run()
    assert len(at.session_state["scans"]) == 2
    assert at.session_state["measuring"] == begun
