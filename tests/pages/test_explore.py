"""The Explore page: the picture, its numbers, its table, the preview and the way on."""

import re

import pytest

from prunekit.core import cards
from prunekit.core.amounts import compact, percent
from prunekit.core.cut_table import CutTable
from prunekit.core.cuts import Cut
from prunekit.core.descriptions import fitting_scorers, scorer_descriptions
from prunekit.core.errors import CannotScore, EngineUnavailable
from prunekit.experiments.folder import home
from prunekit.experiments.ledger import Ledger
from tests.app_over_toy import AppOverToy, component, elements, tiles
from tests.pages.reading import address_of, as_read, errors
from tests.sample_runs import add_finished, recipe


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


def test_what_one_model_s_preview_said_is_not_shown_for_another(app):
    at = app.open("explore", auto_preview=False)
    [button] = [b for b in at.button if b.label == "Preview"]
    button.click().run()
    assert tiles(at)["Accuracy before fine-tuning"][0] == "82.8 %"
    next(e for e in at.selectbox if e.key == "header_model").set_value("mlp-digits").run()
    assert tiles(at)["Accuracy before fine-tuning"] == ("–", "not asked yet")


def test_a_preview_that_went_wrong_is_told_of_its_own_cut_alone(app):
    real = app.engine.preview
    app.engine.preview = lambda *args: (_ for _ in ()).throw(CannotScore("No."))
    at = app.open("explore")
    at.run()
    assert tiles(at)["Accuracy before fine-tuning"] == ("–", "No.")
    app.engine.preview, app.engine.slow = real, 1
    at.session_state["cut"] = Cut(0.6)
    at.run()
    assert tiles(at)["Accuracy before fine-tuning"] == ("…", "Computing.")


def test_scores_of_the_full_data_set_take_the_place_of_those_of_the_shipped_part(app, monkeypatch):
    monkeypatch.setattr(cards, "part_at_hand", lambda _data: "shipped")
    at = app.open("explore", scorer="taylor", scope="layer", cut=Cut(0.3, "global", {"conv1": 0.25}))
    at.button(key="keep_a").click().run()
    before, shown = component(at, "cuts_reply"), component(at, "cuts")["board"]
    real = app.engine.exploration
    app.engine.exploration = lambda *args: real(*args[:4], 1, args[5])
    monkeypatch.setattr(cards, "part_at_hand", lambda _data: "full")
    at.session_state["scope"] = "global"
    at.run()
    after = CutTable.from_plain(app.engine.exploration("lenet-fashion", "taylor", {}, "channel", 0, 512)["table"])
    kept = after.kept(at.session_state["cut"]).tolist()
    assert component(at, "cuts")["board"] != shown
    assert component(at, "cuts_reply")["kept"] == kept != before["kept"]
    side = at.session_state["sides"]["lenet-fashion"]
    assert side.outlook.kept.tolist() == after.kept(side.cut).tolist()
    assert side.key == side.question.key


def test_a_criterion_that_cannot_be_used_says_why_and_the_page_stays_usable(app):
    at = app.open("explore", scorer="bn_scale")
    assert errors(at)[0] == "There is no batch norm in conv1; choose another criterion."
    at.selectbox(key="scorer").set_value("magnitude").run()
    assert not at.error
    assert component(at, "cuts")


def test_a_criterion_for_channels_alone_is_not_offered_for_weights(app):
    at = app.open("explore", scorer="bn_scale", granularity="weight")
    assert at.selectbox(key="scorer").value == "magnitude"


@pytest.mark.parametrize("scorer", [name for name, known in fitting_scorers("channel").items() if known.knobs])
def test_a_criterion_has_its_settings_on_the_page_and_they_are_asked_for(app, scorer):
    at = app.open("explore", scorer=scorer, granularity="channel")
    assert not at.exception
    knobs = {knob.name: at.session_state[f"knob.{scorer}.{knob.name}"] for knob in scorer_descriptions()[scorer].knobs}
    assert knobs == {knob.name: knob.default for knob in scorer_descriptions()[scorer].knobs}
    drawn = {widget.label for kind in ("number_input", "button_group", "selectbox") for widget in at.get(kind)}
    assert drawn >= {knob.label for knob in scorer_descriptions()[scorer].knobs}
    asked = [arguments for question, arguments in app.engine.asked if question == "exploration"]
    assert asked[-1][1:3] == (scorer, scorer_descriptions()[scorer].told(knobs))


def test_how_coupled_layers_are_scored_is_chosen_beside_the_card_for_channels_alone(app):
    at = app.open("explore", scorer="taylor", granularity="channel")
    [menu] = [box for box in at.selectbox if box.label == "Coupled layers"]
    menu.set_value("max").run()
    assert [arguments[2] for question, arguments in app.engine.asked if question == "exploration"][-1] == {
        "reduction": "max"
    }
    assert address_of(at)["knob_reduction"] == "max"
    at = app.open("explore", scorer="taylor", granularity="weight")
    assert "Coupled layers" not in [box.label for box in at.selectbox]


def test_another_granularity_starts_without_the_cuts_of_single_layers_and_the_first_one_keeps_them(app):
    at = app.open("explore")
    at.session_state["cut"] = Cut(0.3, "global", {"conv2": 0.75}, frozenset({"conv1"}))
    at.run()
    assert component(at, "cuts_reply")["cut"]["overrides"] == {"conv2": 0.75}
    at.selectbox(key="granularity").set_value("weight").run()
    assert component(at, "cuts_reply")["cut"]["overrides"] == {}
    at.session_state["cut"] = Cut(0.4, "global", {"conv3.weight": 0.5})
    at.selectbox(key="granularity").set_value("channel").run()
    back = component(at, "cuts_reply")["cut"]
    assert (back["sparsity"], back["overrides"], back["locked"]) == (0.4, {"conv2": 0.75}, ["conv1"])


def test_a_criterion_that_did_not_fit_for_a_while_comes_back(app):
    at = app.open("explore", scorer="taylor")
    for name in ("torchvision/resnet18", "lenet-fashion"):
        at.session_state["model"] = name
        at.query_params["model"] = name
        at.run()
        assert at.selectbox(key="scorer").value == ("magnitude" if name != "lenet-fashion" else "taylor")
    at.selectbox(key="scorer").set_value("magnitude").run()
    assert at.selectbox(key="scorer").value == "magnitude"
    at.session_state["scorer"] = "bn_scale"
    at.selectbox(key="granularity").set_value("weight").run()
    assert at.selectbox(key="scorer").value == "magnitude"
    at.selectbox(key="scorer").set_value("taylor").run()
    at.selectbox(key="granularity").set_value("channel").run()
    assert at.selectbox(key="scorer").value == "taylor"  # chosen since
    at.selectbox(key="scorer").set_value("magnitude").run()
    assert at.selectbox(key="scorer").value == "magnitude"


def test_the_table_shows_each_layer_with_its_own_cut_and_lock(app):
    at = app.open("explore", cut=Cut(0.3, "global", {"conv1": 0.25}, frozenset({"conv2"})), table=True)
    frame = at.dataframe[-1].value if at.dataframe else at.get("data_editor")[0].value
    assert list(frame["layer"]) == ["conv1", "conv2", "conv3", "conv4", "conv5"]
    assert frame["own"][0] == 25
    assert frame["own"].isna().sum() == 4
    assert list(frame["locked"]) == [False, True, False, False, False]
    assert list(frame["kept"][:2]) == [6, 12]


def test_prune_with_this_cut_hands_it_on_as_the_recipe_of_one_run(app):
    at = app.open("explore", cut=Cut(0.4, "layer", {"conv1": 0.1}), scope="layer")
    at.session_state["form.mode"] = "sweep"  # as the visitor has left it there
    [button] = [b for b in at.button if b.key == "to_prune"]
    button.click().run()
    recipe = at.session_state["recipe"]
    assert recipe.cut(recipe.amount) == Cut(0.4, "layer", {"conv1": 0.1})
    assert at.session_state["form.mode"] == "run"


def test_channels_are_rounded_and_what_that_changes_is_told_and_timed(app):
    at = app.open("explore", cut=Cut(0.4))
    free = table_of(app).kept(Cut(0.4))
    at.selectbox(key="round_to").set_value(4).run()
    reply, kept = component(at, "cuts_reply"), table_of(app).kept(Cut(0.4, round_to=4))
    assert reply["kept"] == kept.tolist()
    assert component(at, "cuts")["round_to"] == 4
    assert address_of(at)["round_to"] == "4"
    [said] = [c.value for c in at.caption if "by the scores alone it would be" in c.value]
    assert said.startswith(f"{kept.sum()} of {table_of(app).units.sum()} channels stay")
    assert f"it would be {free.sum()}" in said
    at.button(key="time_bounds").click().run()
    assert "**1.25 times as fast** as by the scores alone" in texts_of(at.markdown)
    [asked] = app.engine.asked_for("bounds_latency", lane="preview")
    assert Cut.from_plain(asked[6]) == Cut(0.4, round_to=4)
    at.button(key="to_prune").click().run()
    assert at.session_state["recipe"].round_to == 4


def test_a_measurement_is_told_of_its_own_cut_alone(app):
    at = app.open("explore", cut=Cut(0.4), round_to=4)
    at.button(key="time_bounds").click().run()
    at.number_input(key="floor.channel").set_value(5).run()
    assert not [text for text in texts_of(at.markdown) if "times as fast" in text]


@pytest.mark.parametrize(("scope", "label"), [("erk", "ERK"), ("n:4", "N:4"), ("n:8", "N:8")])
def test_some_scopes_are_of_weights_alone(app, scope, label):
    at = app.open("explore", granularity="weight", scope=scope)
    assert at.selectbox(key="scope").value == scope
    kept = component(at, "cuts_reply")["kept"]
    table = CutTable.from_plain(
        app.engine.exploration("lenet-fashion", "magnitude", {"p": 1}, "weight", 0, 512)["table"]
    )
    assert kept == table.kept(Cut(0.3, scope)).tolist()
    at.selectbox(key="granularity").set_value("channel").run()
    assert at.selectbox(key="scope").value == "global"
    assert label not in at.selectbox(key="scope").options


def test_weights_have_a_floor_and_are_not_rounded(app):
    at = app.open("explore", cut=Cut(0.4), granularity="weight", round_to=8)
    assert not [box for box in at.selectbox if box.key == "round_to"]
    assert at.session_state["cut"].round_to == 1
    at.number_input(key="floor.weight").set_value(30).run()
    assert min(component(at, "cuts_reply")["kept"]) >= 30
    assert not [button for button in at.button if button.key == "time_bounds"]
    at.selectbox(key="granularity").set_value("channel").run()
    assert at.session_state["cut"].floor == 1  # thirty channels are another matter


def test_while_the_engine_works_the_page_says_so_and_then_draws(app):
    app.engine.slow = 1
    at = app.open("explore")
    assert [c.value for c in at.caption].count("Computing.") == 1
    at.run()
    assert component(at, "cuts")


def texts_of(blocks) -> list[str]:
    return [block.value.replace("\\", "") for block in blocks]


def test_a_link_opens_the_controls_the_cut_and_the_focus(app):
    address = {"criterion": "taylor", "granularity": "weight", "scope": "layer", "view": "weights", "cut": "0.45"}
    at = app.open("explore", address | {"focus": "conv2.weight"})
    assert at.selectbox(key="scorer").value == "taylor"
    assert [at.selectbox(key="granularity").value, at.segmented_control(key="view").value] == ["weight", "weights"]
    assert at.selectbox(key="scope").value == "layer"
    reply = component(at, "cuts_reply")
    assert (reply["cut"]["sparsity"], reply["cut"]["scope"], reply["focus"]) == (0.45, "layer", "conv2.weight")
    assert not at.warning


def test_what_is_on_the_page_is_in_its_address_and_another_session_comes_back_to_it(app):
    cut = Cut(0.4, "global", {"conv1": 0.25, "conv5": 0.5}, frozenset({"conv3"}))
    at = app.open("explore", scorer="random", focus="conv4", cut=cut)
    address = address_of(at)
    assert address["criterion"] == "random"
    assert address["cut"] == "0.4"
    again = app.open("explore", address)
    assert again.session_state["cut"] == cut
    assert component(again, "cuts_reply")["focus"] == "conv4"


def test_defaults_are_left_out_of_the_address(app):
    assert address_of(app.open("explore")) == {"model": "lenet-fashion"}


def test_the_address_waits_until_the_hand_has_let_go(app):
    at = app.open("explore")
    at.session_state["cut"], at.session_state["cut_settled"] = Cut(0.7), False
    at.run()
    assert "cut" not in address_of(at)
    at.session_state["cut_settled"] = True
    at.run()
    assert address_of(at)["cut"] == "0.7"


def test_a_link_of_nonsense_is_answered_with_sentences_and_defaults(app):
    nonsense = {"criterion": "[x](http://y)", "cut": "7", "own": "abcd_1-5", "focus": "conv99", "scope": "layer"}
    at = app.open("explore", nonsense)
    [said] = texts_of(at.warning)
    for piece in (
        "There is no criterion called “[x](http://y)”",
        "The cut in this link must be a number between 0 and 1, not “7”",
        "belong to another model or version",
        "There is no layer called “conv99” here",
    ):
        assert piece in said
    assert "](" not in at.warning[0].value
    assert at.session_state["cut"] == Cut(0.3, "layer")
    at.segmented_control(key="view").set_value("weights").run()
    assert not at.warning


def test_a_link_waits_for_the_engine_with_its_cuts(app):
    cut = Cut(0.3, "global", {"conv2": 0.5})
    address = address_of(app.open("explore", cut=cut))
    app.engine.slow, app.engine.asked = 1, []
    at = app.open("explore", address)
    assert [c.value for c in at.caption].count("Computing.") == 1
    at.run()
    assert at.session_state["cut"] == cut


@pytest.mark.parametrize(("control", "other"), [("scorer", "random"), ("granularity", "weight")])
def test_a_control_that_is_changed_while_the_link_waits_is_nobody_s_fault(app, control, other):
    address = address_of(app.open("explore", cut=Cut(0.3, "global", {"conv2": 0.5})))
    app.engine.slow, app.engine.asked = 1, []
    at = app.open("explore", address)
    at.selectbox(key=control).set_value(other).run()
    at.run()
    assert not at.warning
    assert ("conv2" in at.session_state["cut"].overrides) == (control == "scorer")


def beside(at) -> list[str]:
    page = "".join(e.proto.body for e in elements(at) if e.type == "html")
    return re.findall(r"<em>(.*?)</em>", page)


def test_a_cut_that_is_kept_as_a_stands_beside_the_one_that_is_moved_on(app):
    at = app.open("explore", cut=Cut(0.3))
    at.run()
    assert beside(at) == []
    at.button(key="keep_a").click().run()
    assert beside(at)[0] == "A 30.0 %, the same"
    assert beside(at)[-1] == "A 82.8 %, the same"
    at.session_state["cut"] = Cut(0.5)
    at.run()
    table = table_of(app)
    of_a, of_b = (table.costs.totals(table.kept(Cut(amount)))["macs"] for amount in (0.3, 0.5))
    assert beside(at)[0] == "A 30.0 %, B 20.0 points more"
    assert beside(at)[2].endswith(f", B {100 * (1 - of_b / of_a):.1f} % less")
    assert beside(at)[-1] == "A 82.8 %, B 12.8 points lower"
    assert "Magnitude · channels · global · 30.0 %" in texts_of(at.markdown)


def test_where_a_and_b_disagree_is_drawn_layer_by_layer(app):
    at = app.open("explore", cut=Cut(0.3), by_layer=True)
    at.button(key="keep_a").click().run()
    at.session_state["cut"] = Cut(0.5)
    at.run()
    assert not at.exception
    question, cut_a, other, cut_b = app.engine.asked_for("agreement")[-1][1:]
    assert (question, other) == (other, ["magnitude", {"p": 1}, "channel", 0, 512])
    assert (Cut.from_plain(cut_a), Cut.from_plain(cut_b)) == (Cut(0.3), Cut(0.5))
    assert any("5 are kept by A alone, 10 by B alone" in text for text in texts_of(at.markdown))
    at.selectbox(key="granularity").set_value("weight").run()
    assert not at.exception
    assert any("A and B cut different things" in caption.value for caption in at.caption)


def test_an_a_that_was_kept_before_its_preview_came_gets_it_when_b_has_its_own(app):
    at = app.open("explore", cut=Cut(0.3))
    app.engine.slow = 2
    at.button(key="keep_a").click().run()
    at.session_state["cut"] = Cut(0.5)
    at.run()
    at.run()
    assert beside(at)[-1] == "A was not previewed"
    at.run()
    assert beside(at)[-1] == "A …"
    for _look in range(2):
        at.run()
    assert beside(at)[-1] == "A 82.8 %, B 12.8 points lower"


def test_what_is_left_as_zeros_by_one_of_two_cuts_is_counted_by_what_is_not_zero(app):
    at = app.open("explore", granularity="weight", cut=Cut(0.6))
    at.button(key="keep_a").click().run()
    at.session_state["cut"] = Cut(0.0)
    at.run()
    table = table_of(app, "weight")
    left = table.costs.totals(table.kept(Cut(0.6)))["nonzero"]
    assert "Non-zero parameters" in tiles(at)
    more = percent(table.costs.totals(table.units)["nonzero"] / left - 1)
    assert beside(at)[1] == f"A {compact(left)}, B {more} more"


def test_a_may_have_another_criterion_and_granularity_and_swap_brings_both_back(app):
    cut = Cut(0.3, "global", {"conv1": 0.25}, frozenset({"conv2"}))
    at = app.open("explore", cut=cut)
    at.button(key="keep_a").click().run()
    at.selectbox(key="granularity").set_value("weight").run()
    at.selectbox(key="scorer").set_value("taylor").run()
    assert at.session_state["cut"].overrides == {}
    assert beside(at)[0].endswith(" of channels")
    at.button(key="swap_a").click().run()
    assert at.selectbox(key="scorer").value == "magnitude"
    assert at.selectbox(key="granularity").value == "channel"
    assert at.session_state["cut"] == cut
    assert "Taylor · weights · global · 30.0 %" in texts_of(at.markdown)
    at.button(key="swap_a").click().run()
    assert at.selectbox(key="scorer").value == "taylor"
    at.button(key="drop_a").click().run()
    assert beside(at) == []


def test_the_a_of_one_model_is_not_shown_beside_the_cuts_of_another(app):
    at = app.open("explore")
    at.button(key="keep_a").click().run()
    header = next(e for e in at.selectbox if e.key == "header_model")
    header.set_value("mlp-digits").run()
    assert beside(at) == []
    header = next(e for e in at.selectbox if e.key == "header_model")
    header.set_value("lenet-fashion").run()
    assert beside(at)


def test_pasted_cuts_become_the_cut_and_what_does_not_fit_is_said(app):
    at = app.open("explore", exchange=True, exchange_way="paste")
    at.text_area(key="exchange_text").set_value("conv1, 25 %\nconv2, locked").run()
    at.button(key="exchange_apply").click().run()
    assert at.session_state["cut"] == Cut(0.3, "global", {"conv1": 0.25}, frozenset({"conv2"}))
    said = "Own cuts: 1, locked: 1. All other layers follow the whole net; numbers given for those are not used."
    assert as_read(at.success[0].value) == f"Applied. {said}"
    at.button(key="exchange_apply").click().run()
    assert as_read(at.success[0].value) == f"That is the cut already. {said}"
    at.text_area(key="exchange_text").set_value("conv1, 25 %\nconv77, 0.2").run()
    at.button(key="exchange_apply").click().run()
    assert "There is no layer called conv77 here" in texts_of(at.error)[0]
    at.run()
    assert at.error  # for as long as the text is there
    assert at.session_state["cut"].overrides == {"conv1": 0.25}


def test_a_pasted_scope_moves_the_control_of_the_scope_too(app):
    at = app.open("explore", exchange=True, exchange_way="paste")
    at.text_area(key="exchange_text").set_value('{"sparsity": 0.5, "scope": "layer"}').run()
    at.button(key="exchange_apply").click().run()
    assert at.selectbox(key="scope").value == "layer"
    assert at.session_state["cut"] == Cut(0.5, "layer")
    at.text_area(key="exchange_text").set_value('{"round_to": 8, "floor": 2}').run()
    at.button(key="exchange_apply").click().run()
    assert (at.selectbox(key="round_to").value, at.number_input(key="floor.channel").value) == (8, 2)
    assert at.session_state["cut"] == Cut(0.5, "layer", round_to=8, floor=2)


def test_what_is_copied_can_be_pasted_into_another_session(app):
    cut = Cut(0.4, "global", {"conv1": 0.25}, frozenset({"conv3"}), round_to=8, floor=2)
    at = app.open("explore", cut=cut, exchange=True, round_to=8, **{"floor.channel": 2})
    [json_text] = [code.value for code in at.code if '"layers"' in code.value]
    at.segmented_control(key="exchange_format").set_value("CSV").run()
    [csv_text] = [code.value for code in at.code if code.value.startswith("layer,")]
    for text in (json_text, csv_text):
        other = app.open("explore", exchange=True, exchange_way="paste")
        other.text_area(key="exchange_text").set_value(text).run()
        other.button(key="exchange_apply").click().run()
        assert other.session_state["cut"] == cut


def test_the_link_to_share_ends_with_the_address(app):
    at = app.open("explore", cut=Cut(0.4), exchange=True, exchange_way="link")
    assert [code.value for code in at.code if code.value.endswith("?model=lenet-fashion&cut=0.4")]


def test_a_link_brings_back_both_a_and_b(app):
    cut = Cut(0.35, "layer", {"conv1": 0.25}, frozenset({"conv2"}))
    at = app.open("explore", cut=cut, scope="layer")
    at.button(key="keep_a").click().run()
    at.selectbox(key="granularity").set_value("weight").run()
    at.selectbox(key="scorer").set_value("taylor").run()
    at.session_state["cut"] = Cut(0.6, "layer")
    at.run()
    address, shown = address_of(at), beside(at)
    assert address["a"] == "1"
    other = app.open("explore", address)
    other.run()
    assert beside(other) == shown
    assert "Magnitude · channels · per layer · 35.0 %" in texts_of(other.markdown)
    assert other.session_state["sides"]["lenet-fashion"].cut == cut
    assert address_of(other) == address
    other.button(key="drop_a").click().run()
    assert "a" not in address_of(other)


@pytest.mark.parametrize(
    "more", [{"a": "1", "a_own": "0000_3"}, {"a": "1", "a_cut": "many", "a_criterion": "bn_scale"}]
)
def test_an_a_that_makes_no_sense_leaves_the_page_as_it_is(app, more):
    at = app.open("explore", {"cut": "0.4", "a": "1"} | more)
    at.run()
    assert component(at, "cuts_reply")["cut"]["sparsity"] == 0.4
    assert not at.error


def test_an_a_of_one_s_own_is_not_followed_by_that_of_the_link(app):
    app.engine.slow = 1
    at = app.open("explore", {"cut": "0.4", "a": "1", "a_criterion": "taylor"})
    at.run()
    assert address_of(at)["a_criterion"] == "taylor"  # still on its way, and not lost by a reload
    at.button(key="keep_a").click().run()
    assert "a_criterion" not in address_of(at)
    at.button(key="drop_a").click().run()
    at.run()
    assert beside(at) == []


def test_an_engine_that_is_away_for_a_moment_does_not_lose_the_a_of_a_link(app):
    real, away = app.engine.ask, [2]

    def ask(name, *arguments, **options):
        if arguments[1:2] == ("taylor",) and away[0]:
            away[0] -= 1
            raise EngineUnavailable("The engine is starting.")
        return real(name, *arguments, **options)

    app.engine.ask = ask
    at = app.open("explore", {"cut": "0.4", "a": "1", "a_criterion": "taylor"})
    for _look in range(3):
        at.run()
    assert beside(at)[0].startswith("A 30.0 %")


def test_a_swap_leaves_the_own_cuts_of_its_rows_to_be_come_back_to(app):
    at = app.open("explore", cut=Cut(0.3, "global", {"conv1.weight": 0.5}), granularity="weight")
    at.button(key="keep_a").click().run()
    at.selectbox(key="granularity").set_value("channel").run()
    at.session_state["cut"] = Cut(0.3, "global", {"conv2": 0.25})
    at.run()
    at.button(key="swap_a").click().run()
    assert at.session_state["cut"].overrides == {"conv1.weight": 0.5}
    at.selectbox(key="granularity").set_value("channel").run()
    assert at.session_state["cut"].overrides == {"conv2": 0.25}


def test_an_a_on_its_way_is_not_written_into_the_address_of_another_model(app):
    app.engine.slow = 2
    at = app.open("explore", {"cut": "0.4", "a": "1", "a_criterion": "taylor"})
    at.run()
    next(e for e in at.selectbox if e.key == "header_model").set_value("mlp-digits").run()
    for _look in range(3):
        at.run()
    assert address_of(at)["model"] == "mlp-digits"
    assert component(at, "cuts")
    assert "a" not in address_of(at)


# -- batch norm measured anew, and what previews were worth -------------------------------------------------------


def test_a_net_with_batch_norm_is_previewed_with_it_measured_anew_too(app):
    app.engine.norm = True
    at = app.open("explore", cut=Cut(0.5))
    assert tiles(at)["With batch norm measured anew"][0] == "–"  # the plain one comes first
    at.run()
    assert tiles(at)["With batch norm measured anew"][0] == "80.0 %"
    assert tiles(at)["Accuracy before fine-tuning"][0] == "70.0 %"
    asked = [len(arguments) for arguments in app.engine.asked_for("preview", "preview")]
    assert asked == [7, 8]


def test_a_net_without_batch_norm_has_nothing_to_measure_anew(app):
    at = app.open("explore")
    at.run()
    assert "With batch norm measured anew" not in tiles(at)
    assert all(len(arguments) == 7 for arguments in app.engine.asked_for("preview", "preview"))


def test_after_some_runs_the_page_says_how_previews_ranked_them(app):
    store = Ledger(home())
    at = app.open("explore")
    assert not any("Spearman" in caption.value for caption in at.caption)
    for i in range(5):
        add_finished(store, recipe(seed=i), pruned=0.5 + 0.05 * i, finetuned=0.8 + 0.01 * i)
    at = app.open("explore")
    [said] = [as_read(c.value) for c in at.caption if "Spearman" in c.value]
    assert "Over 5 runs of this model so far" in said
    assert "1.00" in said


# -- inside a layer -----------------------------------------------------------------------------------------------


def opened(app, **session):
    at = app.open("explore", inside=True, **session)
    assert not at.exception
    return at


def test_inside_a_layer_are_as_many_filters_as_the_cut_keeps_and_prunes(app):
    at = opened(app, cut=Cut(0.0, overrides={"conv2": 0.25}), focus="conv2")
    said = [as_read(caption.value) for caption in at.caption]
    assert said.count("Kept: 9") == said.count("Pruned: 3") == 2  # the filters, and what they answer
    assert len([e for e in elements(at) if e.type == "image"]) == 5  # with the example itself
    assert any(
        "A **shirt**; the untouched model takes it for **T-shirt/top**." in as_read(m.value) for m in at.markdown
    )


def test_another_example_is_another_question(app):
    at = opened(app, focus="conv1")
    at.number_input(key="inside_example").set_value(5).run()
    assert [arguments[-3:-1] for arguments in app.engine.asked_for("inside", "preview")][-1] == ("conv1", 4)


def test_single_weights_are_a_matrix_under_its_mask(app):
    at = opened(app, granularity="weight", focus="conv2.weight")
    assert len([e for e in elements(at) if e.type == "image"]) == 1
    assert any("grey what is pruned" in as_read(caption.value) for caption in at.caption)


def test_nothing_is_asked_before_the_panel_is_opened(app):
    app.open("explore")
    assert not app.engine.asked_for("inside", "preview")
