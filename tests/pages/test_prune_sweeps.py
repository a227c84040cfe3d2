"""Sweeps on the Prune page: what they will take, started once, told in one card, stopped and resumed as a whole."""

import json

import pytest

from prunekit.core.errors import EngineUnavailable
from prunekit.core.sweep import Sweep
from prunekit.experiments.engine import Pending
from tests.pages.in_process_engine import open_page, texts
from tests.pages.reading import address_of, as_read, errors
from tests.sample_runs import add_finished, events, quick, recipe, result

pytestmark = pytest.mark.usefixtures("engine_here")

PACE = {"train": 1000, "validation": 100, "test": 200, "train_per_second": 100.0, "evaluate_per_second": 1e9}


def sweep(**changes) -> Sweep:
    """What the form says in these tests: three criteria at two amounts with two seeds, twelve runs."""
    plan = {"scorers": ("taylor",), "amounts": (0.3, 0.5), "granularities": ("channel",), "seeds": (0, 1)}
    return Sweep(recipe(scorer="taylor"), **plan | changes)


def sweep_page(amounts: str = "30, 50", seeds: int = 2, **session):
    page = open_page("prune", recipe=recipe(scorer="taylor"), **session)
    page.button_group(key="form.mode").set_value("sweep").run()
    page.text_input(key="sweep.amounts").set_value(amounts)
    page.number_input(key="sweep.seeds").set_value(seeds).run()
    assert not page.exception
    return page


def start(page):
    page.button(key="start_sweep").click().run()
    assert not page.exception
    return page


def finish(history, runs, finetuned=0.9) -> None:
    for run in runs:
        asked = recipe(scorer=run.recipe["scorer"], amount=run.recipe["amount"], seed=run.recipe["seed"])
        history.change(run.id, state="finished", started=1.0, ended=11.0, result=result(asked, finetuned=finetuned))


def test_the_sweep_begins_around_the_recipe_that_another_page_left(history):
    page = open_page("prune", recipe=recipe(scorer="contribution", granularity="weight", amount=0.42))
    page.button_group(key="form.mode").set_value("sweep").run()
    assert page.multiselect(key="sweep.scorers").value == ["contribution"]
    assert page.button_group(key="sweep.granularities").value == ["weight"]
    assert page.text_input(key="sweep.amounts").value == "30, 42, 50, 70"


def test_a_reload_finds_the_sweep_of_before_in_the_address(history):
    page = sweep_page(amounts="20, 33.333333", seeds=4)
    page.checkbox(key="sweep.controls").uncheck().run()
    page.multiselect(key="sweep.scorers").set_value(["taylor", "contribution"]).run()
    again = open_page("prune", address_of(page))
    assert again.multiselect(key="sweep.scorers").value == ["taylor", "contribution"]
    assert again.text_input(key="sweep.amounts").value == "20, 33.333333"
    assert again.number_input(key="sweep.seeds").value == 4
    assert not again.checkbox(key="sweep.controls").value
    assert address_of(again) == address_of(page)


@pytest.mark.parametrize("seeds", ["5,6", "4", ",".join(map(str, range(30)))])
def test_a_link_with_seeds_that_the_form_cannot_say_is_not_changed_into_another_sweep(history, seeds):
    page = open_page("prune", {"model": "lenet-fashion", "amounts": "0.3,0.6", "seeds": seeds})
    assert "seeds 0, 1, 2" in page.warning[0].value
    assert page.button_group(key="form.mode").value == "run"


def test_it_says_how_many_runs_and_how_many_of_them_are_done(history):
    add_finished(history, recipe(scorer="taylor", amount=0.3))
    asked = recipe(scorer="random", amount=0.5, seed=1)
    history.add(asked.to_plain(), asked.fingerprint, asked.title(), "run")
    assert "**12 runs, 1 of them already done, 1 on their way**" in texts(sweep_page())


def test_the_time_comes_from_earlier_runs_like_them(history):
    add_finished(history, recipe(scorer="magnitude", amount=0.9))  # took 9.5 s
    for run in history.runs():
        history.change(run.id, result=run.result | {"data_full": False})
    assert "**12 runs** · about 1 min 54 s, from 1 earlier run" in texts(sweep_page())


def test_the_time_comes_from_a_measured_step_where_nothing_like_it_has_run(history, engine_here, monkeypatch):
    assert "measuring how long a step takes here" in texts(sweep_page())
    monkeypatch.setattr(engine_here, "ask", lambda name, *_args, **_options: PACE if "pace" in name else Pending("off"))
    assert "about 6 min 18 s, from a measured step" in texts(sweep_page())  # 12 runs of 3 epochs of 10 s


def test_without_an_engine_there_is_no_time_and_nothing_is_in_the_way(history, engine_here, monkeypatch):
    def ask(*_args, **_options):
        raise EngineUnavailable("The engine could not be started.")

    monkeypatch.setattr(engine_here, "ask", ask)
    page = sweep_page()
    assert "**12 runs**" in texts(page)
    assert not page.error
    assert not page.button(key="start_sweep").disabled


def test_only_a_sweep_over_weights_alone_is_offered_the_scopes_of_weights(history):
    page = sweep_page()
    for granularities, offered in ((["weight"], True), (["weight", "channel"], False)):
        page.button_group(key="sweep.granularities").set_value(granularities).run()
        assert {"ERK", "N:4", "N:8"}.issubset(page.selectbox(key="form.scope").options) == offered
        assert "global" in page.selectbox(key="form.scope").options


def test_a_sweep_over_weights_can_take_the_same_number_of_each_group(history):
    page = sweep_page()
    page.button_group(key="sweep.granularities").set_value(["weight"]).run()
    page.selectbox(key="form.scope").set_value("n:4").run()
    assert not page.error
    assert not page.button(key="start_sweep").disabled


def test_too_few_epochs_for_a_criterion_that_looks_at_training_are_said_in_a_sentence(history):
    page = sweep_page()
    page.multiselect(key="sweep.scorers").set_value(["movement"]).run()
    assert "have longer to recover" in texts(page)
    page.number_input(key="form.epochs").set_value(1).run()
    assert not page.exception
    assert any("give the run 2 epochs at least" in error.value for error in page.error)
    page.multiselect(key="sweep.scorers").set_value(["taylor"]).run()
    assert not page.error


def test_a_sweep_over_both_granularities_rounds_its_channels(history):
    page = sweep_page()
    page.button_group(key="sweep.granularities").set_value(["weight", "channel"]).run()
    page.selectbox(key="form.round_to").set_value(8).run()
    assert not page.error
    assert address_of(page)["round_to"] == "8"
    page.button_group(key="sweep.granularities").set_value(["weight"]).run()
    assert page.selectbox(key="form.round_to").disabled


def test_a_criterion_without_an_answer_is_told_to_be_left_out(history):
    page = sweep_page()
    page.multiselect(key="sweep.scorers").set_value(["bn_scale"])
    page.button_group(key="sweep.granularities").set_value(["weight", "channel"]).run()
    assert "Left out: Batch-norm scale has no answer for weights." in texts(page)


def test_a_criterion_that_this_model_has_no_answer_for_is_named_before_its_runs_fail(history, engine_here, monkeypatch):
    asked = []

    def ask(name, *arguments, **_options):
        asked.append((name.rpartition(":")[2], *arguments[:2]))
        refusal = ("refusal", "lenet-fashion", "bn_scale")
        if asked[-1] == refusal and asked.count(refusal) > 1:
            return "There is no batch norm in conv1."
        return Pending("computing")

    monkeypatch.setattr(engine_here, "ask", ask)
    page = sweep_page()
    page.multiselect(key="sweep.scorers").set_value(["bn_scale", "taylor"]).run()
    assert not page.warning
    for _look in range(2):
        page.run()
        assert [as_read(warning.value) for warning in page.warning] == [
            "Batch-norm scale cannot score the channels of this model: its runs would fail. "
            "There is no batch norm in conv1."
        ]
    assert {scorer for name, _model, scorer in asked if name == "refusal"} == {"bn_scale"}


def test_runs_of_others_that_go_first_are_counted_before_the_sweep_is_started(history):
    asked = recipe(amount=0.9)
    history.add(asked.to_plain(), asked.fingerprint, asked.title(), "run")
    mine = recipe(scorer="taylor", amount=0.3)
    history.add(mine.to_plain(), mine.fingerprint, mine.title(), "sweep")
    assert "· after 1 run that goes first" in texts(sweep_page())
    finish(history, history.runs()[1:])
    others = start(sweep_page())
    assert "that goes first" not in texts(others)  # all of it is on its way


@pytest.mark.parametrize(
    ("amounts", "sentence"),
    [("30, half", "“half” is no amount"), ("130", "between 0 % and 100 %"), ("", "at least one value for Amount")],
)
def test_amounts_that_are_none_are_one_sentence_and_nothing_can_be_started(history, amounts, sentence):
    page = sweep_page(amounts)
    assert [sentence in error for error in errors(page)] == [True]
    assert page.button(key="start_sweep").disabled


def test_start_queues_the_runs_and_tells_them_in_one_card(history):
    page = start(sweep_page())
    (stored,) = history.sweeps()
    assert stored.fingerprint == sweep().fingerprint
    assert {run.role for run in history.runs_of(stored.id)} == {"sweep"}
    assert len(history.runs()) == 12
    told = texts(page)
    assert told.count("waiting") == 1
    assert [bar.text for bar in page.get("progress")] == ["0 of 12 runs finished"]
    assert "ahead of it" not in told


def test_a_second_press_starts_nothing_new_and_says_so(history):
    page = start(start(sweep_page()))
    assert len(history.runs()) == 12
    assert len(history.sweeps()) == 1
    assert "This sweep is already on its way; it is not run twice." in texts(page)


def test_a_sweep_whose_runs_are_all_there_is_shown_and_not_run_again(history):
    start(sweep_page())
    finish(history, history.runs())
    page = start(sweep_page())
    assert {run.state for run in history.runs()} == {"finished"}
    assert "All runs of this sweep were run before; here they are." in texts(page)


def test_only_magnitude_and_random_is_a_sweep_too(history):
    page = sweep_page("50", 1)
    page.multiselect(key="sweep.scorers").set_value([]).run()
    start(page)
    assert sorted(run.recipe["scorer"] for run in history.runs()) == ["magnitude", "random"]
    page.checkbox(key="sweep.controls").uncheck().run()
    assert errors(page) == ["Choose at least one criterion."]


def test_the_card_says_how_far_it_is_what_runs_now_and_how_long_it_takes_still(history):
    page = start(sweep_page())
    first, second, *others = history.runs()
    finish(history, [first])
    history.change(second.id, state="running", started=1.0)
    history.add_events(second.id, 0, events(3, 1))
    page.run()
    (bar,) = page.get("progress")
    # Ten runs of 9.5 s wait, and the one that runs should be over by now.
    assert bar.text == "1 of 12 runs finished · about 1 min 35 s left"
    assert len(others) == 10
    assert "Now: magnitude · channels · 30 % units" in texts(page)
    assert "Fine-tuning · epoch 2 of 3" in texts(page)


def test_the_chart_fills_with_means_over_the_seeds(history):
    page = start(sweep_page())
    runs = history.runs()
    finish(history, [r for r in runs if r.recipe["scorer"] == "taylor" and r.recipe["seed"] == 0], finetuned=0.9)
    page.run()
    finish(history, [r for r in runs if r.recipe["scorer"] == "taylor" and r.recipe["seed"] == 1], finetuned=0.8)
    page.run()
    [chart] = page.get("echarts_chart")
    options = json.loads(chart.proto.spec)
    means, bars = options["series"]
    assert (means["name"], means["data"]) == ("Taylor", [[30, 85], [50, 85]])
    assert [point[0] for point in bars["data"]] == [30, 30, "-", 50, 50, "-"]
    table = page.dataframe[0].value
    assert list(table["Fine-tuned"]) == ["85.0 % ± 7.1"] * 2
    assert list(table["Seeds"]) == [2, 2]


def test_stop_all_and_resume_all(history):
    page = start(sweep_page())
    (stored,) = history.sweeps()
    finish(history, history.runs()[:1])
    page.run()
    page.button(key=f"stop_sweep_{stored.id}").click().run()
    assert sorted({run.state for run in history.runs()}) == ["finished", "stopped"]
    assert "1 of 12 runs finished · 11 stopped" in [bar.text for bar in page.get("progress")]
    page.button(key=f"resume_sweep_{stored.id}").click().run()
    assert sorted({run.state for run in history.runs()}) == ["finished", "queued"]


def test_one_s_own_run_keeps_its_card_beside_the_sweep_that_it_belongs_to(history):
    page = open_page("prune", recipe=recipe(scorer="taylor", amount=0.3))
    page.checkbox(key="form.control").uncheck().run()
    page.button(key="start").click().run()
    page = start(sweep_page())
    assert len(history.runs()) == 12
    assert "next in the queue" in texts(page)
    assert "1 run of others goes first" not in texts(page)


def test_a_sweep_waits_behind_the_runs_of_others_and_says_so(history):
    asked = recipe(amount=0.9)
    history.add(asked.to_plain(), asked.fingerprint, asked.title(), "run")
    assert "1 run of others goes first." in texts(start(sweep_page()))


def test_runs_of_others_between_its_own_are_counted_beside_the_time_that_is_left(history):
    page = start(sweep_page())
    history.change(history.runs()[0].id, state="running", started=1.0)
    asked = recipe(amount=0.9)
    history.add(asked.to_plain(), asked.fingerprint, asked.title(), "run")
    page.run()
    [bar] = [bar for bar in page.get("progress") if "12 runs" in bar.text]
    assert bar.text.endswith("1 run of others in between")


def test_a_finished_sweep_of_one_model_is_no_headline_beside_another(history):
    start(sweep_page())
    page = open_page("prune", model="mlp-digits", sweep_shown=history.sweeps()[0].id)
    assert page.get("progress")  # it goes on
    finish(history, history.runs())
    page = open_page("prune", model="mlp-digits", sweep_shown=history.sweeps()[0].id)
    assert history.sweeps()[0].title not in texts(page)


def test_reasons_of_failed_runs_are_told_once(history):
    page = start(sweep_page())
    for run in history.runs()[:3]:
        history.change(run.id, state="failed", ended=2.0, error="Training diverged in epoch 1.")
    page.run()
    assert texts(page).count("3 runs: Training diverged in epoch 1.") == len(page.error) == 1


def test_earlier_sweeps_have_a_line_and_can_be_shown(history):
    first = history.add_sweep(sweep().to_plain(), "one", "the first", [])[0]
    second = history.add_sweep(sweep().to_plain(), "two", "the second", [])[0]
    page = open_page("prune")
    assert f"show_{first}" in [button.key for button in page.button]
    page.button(key=f"show_{first}").click().run()
    assert f"show_{second}" in [button.key for button in page.button]
    assert f"show_{first}" not in [button.key for button in page.button]


def test_a_sweep_is_renamed_and_deleted_with_its_runs(history):
    page = start(sweep_page())
    (stored,) = history.sweeps()
    assert page.button(key=f"delete_{stored.id}").disabled
    page.text_input(key=f"title_{stored.id}").set_value("for the **talk**").run()
    page.button(key=f"rename_{stored.id}").click().run()
    assert "for the **talk**" in [text.value for text in page.text]
    page.button(key=f"stop_sweep_{stored.id}").click().run()
    page.checkbox(key=f"with_runs_{stored.id}").check().run()
    page.button(key=f"delete_{stored.id}").click().run()
    assert (history.sweeps(), history.runs()) == ([], [])


def test_it_can_be_repeated_from_the_command_line(history):
    page = start(sweep_page())
    assert page.code[0].value == Sweep.from_plain(history.sweeps()[0].plan).command()


def test_the_mode_and_the_fields_of_the_sweep_are_kept_over_a_change_of_page(history):
    page = sweep_page("20, 40", 4)
    page.switch_page("pages/start.py").run()
    page.switch_page("pages/prune.py").run()
    assert page.text_input(key="sweep.amounts").value == "20, 40"
    assert page.number_input(key="sweep.seeds").value == 4
    assert quick().epochs == page.number_input(key="form.epochs").value


def test_its_runs_are_compared_by_themselves(history):
    add_finished(history, recipe(amount=0.9))
    page = start(sweep_page())
    finish(history, history.runs())
    page.run()
    page.button(key=f"compare_{history.sweeps()[0].id}").click().run()
    assert not page.exception
    compared = open_page("compare", compared_sweep=page.session_state["compared_sweep"])
    assert len(compared.dataframe[0].value) == 12
    assert 0.9 not in set(compared.dataframe[0].value["sparsity_target"])


def test_another_model_is_no_reason_to_forget_the_sweep_that_was_wanted(history):
    page = sweep_page("20, 40", 4)
    page.selectbox(key="header_model").set_value("mlp-digits").run()
    assert page.text_input(key="sweep.amounts").value == "20, 40"
    start(page)
    assert {run.recipe["model"] for run in history.runs()} == {"mlp-digits"}
    assert len(history.runs()) == 3 * 2 * 4
