"""The Start page: models to take, needs to name, a recipe to go on with."""

import json

import pytest

from prunekit.core.cards import SAMPLES, model_cards
from prunekit.core.proposals import propose
from tests.app_over_toy import AppOverToy, elements, tiles


@pytest.fixture
def start(monkeypatch):
    """The Start page over a toy engine of five layers."""
    return AppOverToy(monkeypatch).open("start")


def test_every_sample_model_has_a_card_with_its_title_and_test_metric(start):
    shown = " ".join(e.value for e in start.markdown) + "".join(
        e.proto.body for e in elements(start) if e.type == "html"
    )
    for card in model_cards().values():
        assert card.title in shown
        assert f"{card.metrics['full']['test']:.1%}".replace("%", " %") in shown


def test_the_chosen_model_is_marked_and_the_others_can_be_chosen(start):
    assert start.button(key="choose_lenet-fashion").disabled
    assert not start.button(key="choose_mlp-digits").disabled


def test_the_details_say_which_other_models_one_was_made_with(monkeypatch, tmp_path):
    plain = json.loads((SAMPLES / "mlp-digits" / "card.json").read_text())
    made = plain["training"] | {"begins_as": "a-shallow-one", "teacher": "a-good-one"}
    made |= {"epochs": 7, "before": [{"epochs": 3}, {"epochs": 5}]}
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "card.json").write_text(json.dumps(plain | {"id": "deep", "training": made}))
    monkeypatch.setenv("PRUNEKIT_MODELS", str(tmp_path))
    shown = [caption.value for caption in AppOverToy(monkeypatch).open("start").caption]
    [trained] = [caption for caption in shown if "a-shallow-one" in caption]
    assert "It learned from the answers of a-good-one" in trained
    assert trained.startswith("Trained for 15 epochs")
    assert sum(caption.startswith("Trained for") for caption in shown) == len(model_cards())


def test_the_card_of_the_chosen_model_leads_straight_to_explore(start):
    start.button(key="choose_mlp-digits").click().run()
    start.button(key="explore_chosen").click().run()
    assert start.session_state["model"] == "mlp-digits"
    assert "Sparsity" in tiles(start)


def test_the_layers_of_the_chosen_model_are_shown_with_their_shares(start):
    frame = start.dataframe[-1].value
    assert list(frame["layer"]) == ["conv1", "conv2", "conv3", "conv4", "conv5"]
    assert frame["parameter_share"].sum() == pytest.approx(1)
    assert tiles(start)["Layers"][0] == "5"


def test_a_need_gives_its_reason_at_once(start):
    start.segmented_control(key="goal").set_value("faster").run()
    assert propose("lenet-fashion", "faster").why in [e.value for e in start.markdown]


def test_explore_it_opens_explore_at_the_amount_that_was_asked_for(start):
    start.number_input(key="goal.smaller").set_value(40.0).run()
    [explore] = [b for b in start.button if b.label == "Explore it"]
    explore.click().run()
    note = tiles(start)["Parameters"][1]
    gone = float(note.split(", ")[1].split(" %")[0])
    assert 40 <= gone < 46


def test_prune_with_this_recipe_hands_the_recipe_on(start):
    [prune] = [b for b in start.button if b.label == "Prune with this recipe"]
    prune.click().run()
    assert start.session_state["recipe"] == propose("lenet-fashion", "smaller").recipe


def test_while_the_engine_works_the_page_says_so_and_stays_usable(monkeypatch):
    app = AppOverToy(monkeypatch)
    app.engine.slow = 1
    at = app.open("start")
    assert "Computing." in [c.value for c in at.caption]
    assert not at.button(key="choose_mlp-digits").disabled
    at.run()
    assert len(at.dataframe[-1].value) == 5
