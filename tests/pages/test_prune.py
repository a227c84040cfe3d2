"""The Prune page: the form says what it will do, Start starts once, and runs are told as they are."""

import time

import pytest

from prunekit.core.errors import EngineUnavailable
from prunekit.core.recipe import Recipe, Training
from prunekit.core.sweep import Sweep
from prunekit.reports.recipes import what_it_does
from tests.pages.in_process_engine import open_page, texts
from tests.pages.reading import address_of, errors
from tests.sample_runs import add_finished, add_running, add_study, latency, recipe, result

pytestmark = pytest.mark.usefixtures("engine_here")


def press_start(page):
    page.button(key="start").click().run()
    assert not page.exception
    return page


def test_a_first_visitor_finds_a_recipe_that_says_what_it_will_do(history):
    page = open_page("prune")
    assert what_it_does(Recipe("lenet-fashion")) in texts(page)
    assert not page.button(key="start").disabled


def test_start_queues_the_recipe_of_the_form_and_its_random_control(history):
    page = open_page("prune", recipe=recipe())
    page.number_input(key="form.amount").set_value(37.5).run()
    page.number_input(key="form.epochs").set_value(1).run()
    press_start(page)
    run, control = history.runs()
    assert (run.role, run.recipe["scorer"], run.recipe["amount"], run.recipe["training"]["epochs"]) == (
        "run",
        "magnitude",
        0.375,
        1,
    )
    assert (control.role, control.recipe["scorer"]) == ("control", "random")
    assert control.recipe | {"scorer": "magnitude", "knobs": run.recipe["knobs"]} == run.recipe
    assert {"queued", "random control"} <= set(_badges(page))


def test_without_the_tick_no_control_is_started(history):
    page = open_page("prune")
    page.checkbox(key="form.control").uncheck().run()
    press_start(page)
    assert [run.role for run in history.runs()] == ["run"]


def test_a_second_press_starts_nothing_new_and_says_so(history):
    page = press_start(press_start(open_page("prune")))
    assert len(history.runs()) == 2
    assert "This recipe is already on its way; it is not run twice." in texts(page)


def test_a_recipe_that_was_run_before_is_shown_and_not_run_again(history):
    known = add_finished(history, recipe())
    page = press_start(open_page("prune", recipe=recipe()))
    assert [run.id for run in history.runs() if run.role == "run"] == [known]
    assert "This recipe was run before" in texts(page)


def test_what_was_said_to_a_press_is_not_said_beside_another_model(history):
    add_finished(history, recipe())
    page = press_start(open_page("prune", recipe=recipe()))
    sentence = "This recipe was run before"
    assert sentence in texts(page)
    header = next(box for box in page.selectbox if box.key == "header_model")
    header.set_value("mlp-digits").run()
    assert sentence not in texts(page)
    next(box for box in page.selectbox if box.key == "header_model").set_value("lenet-fashion").run()
    assert sentence in texts(page)


def test_the_form_is_filled_with_the_recipe_that_another_page_left(history):
    left = recipe(scorer="taylor", amount=0.42, schedule="iterative", rounds=4, training=Training(epochs=8))
    page = open_page("prune", recipe=left)
    assert page.selectbox(key="form.scorer").value == "taylor"
    assert page.number_input(key="form.amount").value == 42.0
    assert page.number_input(key="form.rounds").value == 4
    press_start(page)
    assert history.runs()[0].fingerprint == left.fingerprint


def test_a_reload_finds_the_recipe_of_before_in_the_address(history):
    before = recipe(amount=0.42, overrides={"conv2": 0.7}, locked=("conv1",), seed=3)
    address = address_of(open_page("prune", recipe=before))
    assert address["model"] == "lenet-fashion"
    again = open_page("prune", address)
    assert again.number_input(key="form.amount").value == 42.0
    assert {"conv2: 70.0 %", "conv1"} <= set(_badges(again))
    assert again.session_state["recipe"] == before
    again.number_input(key="form.seed").set_value(4).run()
    assert address_of(again) == address | {"seed": "4"}


def test_an_untouched_form_leaves_the_address_short(history):
    assert address_of(open_page("prune")) == {"model": "lenet-fashion"}


def test_an_amount_keeps_the_digits_that_the_field_does_not_show(history):
    address = {"model": "lenet-fashion", "amount": "0.123456789"}
    page = open_page("prune", address)
    assert address_of(page) == address
    page.number_input(key="form.amount").set_value(12.3).run()
    assert page.session_state["recipe"].amount == 0.123


def test_the_cuts_of_one_model_stay_out_of_the_address_of_another(history):
    page = open_page("prune", recipe=recipe(overrides={"conv2": 0.7}, locked=("conv1",)))
    for name in ("mlp-digits", "torchvision/resnet18"):
        page.session_state["models_met"] = ["torchvision/resnet18"]
        page.selectbox(key="header_model").set_value(name).run()
        assert not {"own", "locked"} & set(address_of(page))
        assert address_of(page)["model"] == name


def test_the_temperature_is_asked_for_where_there_is_a_teacher(history):
    page = open_page("prune")
    assert page.number_input(key="form.temperature").disabled
    page.number_input(key="form.distillation").set_value(0.9).run()
    assert not page.number_input(key="form.temperature").disabled
    page.number_input(key="form.temperature").set_value(4.0).run()
    assert address_of(page) == {"model": "lenet-fashion", "distillation": "0.9", "temperature": "4.0"}


def test_what_another_page_has_handed_on_goes_before_the_address(history):
    page = open_page("prune", {"model": "lenet-fashion", "amount": "0.2"}, recipe=recipe(amount=0.42))
    assert page.number_input(key="form.amount").value == 42.0


def test_an_address_that_makes_no_sense_says_so_and_the_form_works(history):
    page = open_page("prune", {"model": "lenet-fashion", "scorer": "<b>magic</b>", "amount": "0.2"})
    (told,) = page.warning
    assert "cannot be used" in told.value
    assert "<b>" not in told.value
    assert page.number_input(key="form.amount").value == 50.0
    # What is to be mended is still there, until the form says something else.
    assert address_of(page)["amount"] == "0.2"
    press_start(page)
    assert len(history.runs()) == 2
    page.number_input(key="form.amount").set_value(60.0).run()
    assert address_of(page) == {"model": "lenet-fashion", "amount": "0.6"}


def test_a_link_to_a_model_that_is_not_there_gives_its_recipe_to_no_other(history):
    page = open_page("prune", {"model": "gone", "own": "layer1.0.conv1:0.5", "amount": "0.2"})
    assert "gone" in " ".join(errors(page))
    assert page.session_state["recipe"] == Recipe("lenet-fashion")


def test_own_cuts_and_locks_are_listed_and_can_be_cleared(history):
    page = open_page("prune", recipe=recipe(overrides={"conv2": 0.7}, locked=("conv1",)))
    assert {"conv2: 70.0 %", "conv1"} <= set(_badges(page))
    next(button for button in page.button if button.label == "Clear them").click().run()
    assert page.session_state["recipe"].overrides == {}
    assert page.session_state["recipe"].locked == ()


def test_own_cuts_of_channels_are_dropped_when_weights_are_chosen(history):
    page = open_page("prune", recipe=recipe(overrides={"conv2": 0.7}))
    page.selectbox(key="form.granularity").set_value("weight").run()
    assert not page.exception
    assert page.session_state["recipe"].overrides == {}
    assert "dropped" in page.toast[0].value


def test_channels_are_rounded_and_a_floor_is_kept_where_the_recipe_says_so(history):
    page = open_page("prune")
    page.selectbox(key="form.round_to").set_value(8).run()
    page.number_input(key="form.floor").set_value(4).run()
    assert (page.session_state["recipe"].round_to, page.session_state["recipe"].floor) == (8, 4)
    assert "what stays in a layer becomes a multiple of 8, at least 4 stay in each layer" in texts(page)
    assert address_of(page) == {"model": "lenet-fashion", "round_to": "8", "floor": "4"}
    page.selectbox(key="form.granularity").set_value("weight").run()
    assert page.selectbox(key="form.round_to").disabled
    assert page.session_state["recipe"].round_to == 1


def test_how_coupled_layers_are_scored_is_among_the_settings_of_channels(history):
    page = open_page("prune", recipe=recipe(scorer="taylor"))
    page.selectbox(key="form.taylor.normalisation").set_value("max").run()
    assert not page.exception
    assert page.session_state["recipe"].knobs == {"normalisation": "max"}
    assert "Taylor (÷ max)" in texts(page)
    assert address_of(page)["knob_normalisation"] == "max"
    page.selectbox(key="form.granularity").set_value("weight").run()
    assert not page.exception
    assert page.session_state["recipe"].knobs == {}
    assert "form.taylor.normalisation" not in [box.key for box in page.selectbox]


def test_rounds_are_asked_for_only_when_there_are_rounds(history):
    page = open_page("prune", recipe=recipe())
    assert "form.rounds" not in [field.key for field in page.number_input]
    page.button_group(key="form.schedule").set_value("iterative").run()
    assert page.number_input(key="form.rounds").value == 3
    assert "in 3 rounds of scoring, cutting and fine-tuning that share 3 epochs." in texts(page)


def test_a_criterion_that_cannot_score_weights_says_so_in_one_sentence(history):
    page = open_page("prune", recipe=recipe(scorer="bn_scale"))
    page.selectbox(key="form.granularity").set_value("weight").run()
    assert not page.exception
    assert len(page.error) == 1
    assert "Batch-norm scale" in errors(page)[0]
    assert page.button(key="start").disabled


def test_an_engine_that_cannot_be_reached_is_one_sentence_and_no_run_is_invented(history, engine_here, monkeypatch):
    monkeypatch.setattr("prunekit.ui.runs.TRY_SECONDS", 0)
    engine_here.problem = EngineUnavailable("The engine does not answer; try again in a few seconds.")
    page = press_start(open_page("prune"))
    assert errors(page) == ["The engine does not answer; try again in a few seconds."]
    assert history.runs() == []


def test_a_press_while_the_engine_starts_is_kept_and_started_when_it_is_ready(history, engine_here):
    engine_here.problem = EngineUnavailable("The engine is still starting; try again in a few seconds.")
    page = press_start(open_page("prune"))
    assert "starts as soon as the engine is ready" in texts(page)
    engine_here.problem = None
    presses = page.session_state["presses"]
    for answer in presses[0].answers:
        answer.result(timeout=10)
    page.run()
    assert len(history.runs()) == 2
    assert "starts as soon as the engine is ready" not in texts(page)


def test_a_running_run_shows_its_epoch_its_curves_and_how_to_stop_it(history, three_runs):
    page = open_page("prune")
    (bar,) = page.get("progress")
    assert "Fine-tuning · epoch 2 of 3 · about" in bar.text
    assert len(page.get("echarts_chart")) == 3
    page.button(key=f"stop_{three_runs[2]}").click().run()
    assert history.run(three_runs[2]).state == "stopping"
    assert "stopping" in _badges(page)


def test_waiting_runs_know_their_place(history, three_runs):
    for amount in (0.1, 0.2):
        asked = recipe(amount=amount)
        history.add(asked.to_plain(), asked.fingerprint, asked.title(), "run")
    page = open_page("prune")
    assert [c.value for c in page.caption if "ahead of it" in c.value] == ["1 ahead of it", "2 ahead of it"]


def test_a_finished_run_tells_before_and_after_and_that_its_time_is_pending(history):
    add_finished(history, recipe(), finetuned=0.9, pruned=0.75, timed=False)
    told = texts(open_page("prune"))
    assert "90.0 %" in told
    assert "untouched 91.0 %, after the cut 75.0 %" in told
    assert "of 100 k, 50.0 % gone" in told
    assert "pending" in told


def test_a_speedup_that_was_measured_on_a_busy_machine_says_so(history):
    run_id = add_finished(history, recipe())
    assert "unsteady" not in texts(open_page("prune"))
    history.change(run_id, result=result(recipe()) | latency(2.0, spread=1.5))
    assert "unsteady, the machine was busy" in texts(open_page("prune"))


def test_the_curves_of_a_finished_run_can_be_seen_again(history):
    run_id = add_running(history, recipe(), epochs_done=3)
    history.change(run_id, state="finished", ended=time.time(), result=result(recipe()))
    page = open_page("prune")
    assert not page.get("echarts_chart")
    page.session_state[f"curves_{run_id}"] = True
    page.run()
    assert len(page.get("echarts_chart")) == 3


def test_a_run_that_trained_nothing_has_no_curves(history):
    add_finished(history, recipe())
    assert "Curves" not in [panel.label for panel in open_page("prune").expander]


def test_an_idle_page_notices_what_another_tab_starts(history):
    page = open_page("prune")
    assert page.session_state["turns"]["again_runs"] == 1


def test_a_finished_run_can_be_repeated_from_the_command_line(history):
    add_finished(history, recipe())
    page = open_page("prune")
    assert page.code[0].value == recipe().command()


def test_an_earlier_run_can_be_opened_and_studies_come_after_it(history):
    add_study(history, Sweep(recipe(), ("magnitude",), (0.3, 0.6), ("channel",), (0,), controls=False))
    earlier, latest = add_finished(history, recipe(amount=0.7)), add_finished(history, recipe(amount=0.5))
    page = open_page("prune")
    told = [button.key for button in page.button if button.key and button.key.startswith(("branch_", "open_", "show_"))]
    assert told[:2] == [f"branch_{latest}", f"open_{earlier}"]
    assert len(told) == 3
    page.button(key=f"open_{earlier}").click().run()
    assert [b.key for b in page.button if b.key and b.key.startswith("branch_")] == [f"branch_{earlier}"]


def test_a_layer_that_kept_its_last_unit_is_named(history):
    run_id = add_finished(history, recipe())
    history.add_events(run_id, 0, [{"number": 0, "time": 1.0, "kind": "floor", "rows": ["conv1"]}])
    assert "would have emptied conv1" in open_page("prune").warning[0].value


def test_an_interrupted_run_says_why_and_can_be_resumed(history):
    run_id = add_running(history, recipe())
    history.change(run_id, state="interrupted", error="Its worker died in the middle of the run.")
    page = open_page("prune")
    assert "Its worker died in the middle of the run." in texts(page)
    page.button(key=f"resume_{run_id}").click().run()
    assert history.run(run_id).state == "queued"


def test_a_title_is_shown_as_it_was_typed(history):
    run_id = add_finished(history, recipe())
    history.change(run_id, title="**bold** :red[x] <b>")
    assert "**bold** :red[x] <b>" in [text.value for text in open_page("prune").text]


def _badges(page) -> list[str]:
    """The words on the badges of the page."""
    found = []
    for piece in page.markdown:
        if "badge[" in piece.value:
            found.append(piece.value.split("badge[", 1)[1].rsplit("]", 1)[0].split(": ", 1)[-1].strip())
    return found


def test_of_many_waiting_runs_those_of_others_are_counted_and_one_s_own_have_a_card(history):
    for seed in range(6):
        history.add(recipe(seed=seed).to_plain(), recipe(seed=seed).fingerprint, f"of others {seed}", "run")
    page = open_page("prune", recipe=recipe(seed=9))
    page.checkbox(key="form.control").uncheck().run()
    press_start(page)
    own = history.runs()[-1].id
    assert {f"stop_{run.id}" for run in history.runs()[:3]} | {f"stop_{own}"} == {
        button.key for button in page.button if str(button.key).startswith("stop_")
    }
    assert "3 more runs of others wait." in texts(page)
    assert "6 ahead of it" in texts(page)
