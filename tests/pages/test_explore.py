"""The Explore page: the picture, its numbers, its table, the preview and the way on."""

import pytest

from prunekit.core.cut_table import CutTable
from prunekit.core.cuts import Cut
from tests.app_over_toy import AppOverToy, component, tiles


@pytest.fixture
def app(monkeypatch):
    """The app over a toy engine of five layers."""
    return AppOverToy(monkeypatch)


def table_of(app, granularity="channel") -> CutTable:
    answer = app.engine.exploration("lenet-fashion", "magnitude", {"p": 1}, granularity, 0, 512)
    return CutTable.from_plain(answer["table"])


def test_all_layers_are_in_the_picture_with_the_cut_and_exact_counts(app):
    at = app.open("explore")
    picture, reply = component(at, "cuts"), component(at, "cuts_reply")
    assert [row["label"] for row in picture["rows"]] == ["conv1", "conv2", "conv3", "conv4", "conv5"]
    assert reply["board"] == picture["board"]
    assert reply["kept"] == table_of(app).kept(at.session_state["cut"]).tolist()


def test_the_numbers_are_those_of_the_cut_table(app):
    at = app.open("explore", cut=Cut(0.5))
    table, shown = table_of(app), tiles(at)
    kept = table.kept(Cut(0.5))
    assert shown["Sparsity"] == ("50.0 %", f"{kept.sum()} of {table.units.sum()} channels kept")
    before, after = table.costs.totals(table.units), table.costs.totals(kept)
    assert shown["Theoretical speedup"][0] == f"{before['macs'] / after['macs']:.2f}×"


def test_zeros_are_not_sold_as_a_smaller_file(app):
    shown = tiles(app.open("explore", granularity="weight"))
    assert "Non-zero parameters" in shown
    assert shown["Predicted size"][1] == "zeros take as much room"


def test_the_cut_is_drawn_into_the_weights_only_where_it_is_one_of_weights(app):
    def picture(**state):
        found = component(app.open("explore", view="weights", **state), "cuts")
        return found["signed"], found["view_only"]

    assert picture(granularity="weight") == (True, False)
    assert picture(granularity="channel") == (False, True)
    assert picture(granularity="weight", scorer="taylor") == (False, True)


def test_the_preview_comes_after_the_picture_with_interval_and_number_of_examples(app):
    at = app.open("explore")
    assert "preview" not in [question for question, _arguments in app.engine.asked]
    at.run()
    value, note = tiles(at)["Accuracy before fine-tuning"]
    assert value == "82.8 %"
    assert "80.8–84.8 %" in note
    assert "n = 1,000" in note


def test_a_preview_that_is_not_wanted_is_asked_for_by_its_button_alone(app):
    at = app.open("explore", auto_preview=False)
    at.run()
    assert tiles(at)["Accuracy before fine-tuning"][0] == "–"
    [button] = [b for b in at.button if b.label == "Preview"]
    button.click().run()
    assert tiles(at)["Accuracy before fine-tuning"][0] == "82.8 %"


def test_the_preview_of_another_cut_is_marked_as_such_while_the_engine_works(app):
    at = app.open("explore")
    at.run()
    app.engine.slow = 1
    at.session_state["cut"] = Cut(0.6)
    at.run()
    assert tiles(at)["Accuracy before fine-tuning"] == ("82.8 %", "Computing.")


def test_a_criterion_that_cannot_be_used_says_why_and_the_page_stays_usable(app):
    at = app.open("explore", scorer="bn_scale")
    assert at.error[0].value == "There is no batch norm in conv1; choose another criterion."
    at.selectbox(key="scorer").set_value("magnitude").run()
    assert not at.error
    assert component(at, "cuts")


def test_a_criterion_for_channels_alone_is_not_offered_for_weights(app):
    at = app.open("explore", scorer="bn_scale", granularity="weight")
    assert at.selectbox(key="scorer").value == "magnitude"


def test_another_granularity_starts_without_the_cuts_of_single_layers(app):
    at = app.open("explore")
    at.session_state["cut"] = Cut(0.3, "global", {"conv2": 0.75})
    at.run()
    assert component(at, "cuts_reply")["cut"]["overrides"] == {"conv2": 0.75}
    at.segmented_control(key="granularity").set_value("weight").run()
    assert component(at, "cuts_reply")["cut"]["overrides"] == {}


def test_the_table_shows_each_layer_with_its_own_cut_and_lock(app):
    at = app.open("explore", cut=Cut(0.3, "global", {"conv1": 0.25}, frozenset({"conv2"})), table=True)
    frame = at.dataframe[-1].value if at.dataframe else at.get("data_editor")[0].value
    assert list(frame["layer"]) == ["conv1", "conv2", "conv3", "conv4", "conv5"]
    assert frame["own"][0] == 25
    assert frame["own"].isna().sum() == 4
    assert list(frame["locked"]) == [False, True, False, False, False]
    assert list(frame["kept"][:2]) == [6, 12]


def test_prune_with_this_cut_hands_it_on_as_a_recipe(app):
    at = app.open("explore", cut=Cut(0.4, "layer", {"conv1": 0.1}), scope="layer")
    [button] = [b for b in at.button if b.label == "Prune with this cut"]
    button.click().run()
    recipe = at.session_state["recipe"]
    assert recipe.cut(recipe.amount) == Cut(0.4, "layer", {"conv1": 0.1})


def test_while_the_engine_works_the_page_says_so_and_then_draws(app):
    app.engine.slow = 1
    at = app.open("explore")
    assert [c.value for c in at.caption].count("Computing.") == 1
    at.run()
    assert component(at, "cuts")
