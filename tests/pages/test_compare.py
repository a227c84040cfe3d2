"""The Compare page: chart and table hold the same runs, and runs can be renamed, deleted and downloaded."""

import json

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState

from prunekit.core.errors import UnknownName
from prunekit.core.sweep import Sweep
from tests.pages.in_process_engine import open_page, texts
from tests.pages.reading import address_of, errors
from tests.sample_runs import add_finished, add_running, add_study, latency, recipe

pytestmark = pytest.mark.usefixtures("engine_here")


def chart(page) -> list[dict]:
    (drawn,) = page.get("plotly_chart")
    return json.loads(drawn.proto.spec)["data"]


def gesture(page, element, **selection):
    """What the browser sends when something in a table or a chart is chosen."""
    states = page._tree.get_widget_states()
    states.widgets.append(WidgetState(id=element.proto.id, string_value=json.dumps({"selection": selection})))
    page._run(states)
    assert not page.exception, [e.value for e in page.exception]
    return page


def choose(page, *rows: int):
    """Chooses rows of the table, counted from 0, newest first."""
    return gesture(page, page.dataframe[0], rows=list(rows), columns=[], cells=[])


def click(page, *runs: str):
    """A click on the point of a run, or on the mean of several; of none: plotly's mark is gone."""
    (drawn,) = page.get("plotly_chart")
    points = [{"curve_number": 1, "point_index": 0, "id": " ".join(runs)}] if runs else []
    return gesture(page, drawn, points=points, point_indices=[0] * len(points), box=[], lasso=[])


def cards(page) -> list[str]:
    """The ids of the runs that are told in full."""
    return [button.key.removeprefix("branch_") for button in page.button if str(button.key).startswith("branch_")]


def marked(page) -> list[str]:
    """The titles of the rows that are marked in the table."""
    table = page.dataframe[0]
    return [table.value["title"].iloc[row] for row in page.session_state[table.key]["selection"]["rows"]]


def test_without_runs_the_page_says_what_to_do_next(history):
    page = open_page("compare")
    assert "No runs of this model yet" in texts(page)
    assert [link.label for link in page.get("page_link")] == ["Prune it with a first recipe"]


def test_chart_and_table_hold_the_same_runs(three_runs):
    page = open_page("compare")
    table = page.dataframe[0].value
    assert list(table["state"]) == ["running", "finished", "finished"]
    assert sorted(run for trace in chart(page) for run in trace.get("ids", [])) == sorted(three_runs[:2])
    assert "1 run is on its way and will appear here." in texts(page)


def test_baseline_and_random_control_are_drawn(three_runs):
    names = [trace["name"] for trace in chart(open_page("compare"))]
    assert names == ["Untouched model", "Pareto front", "Magnitude · channels", "Random control · channels"]


def test_it_says_that_single_runs_are_single_runs(three_runs):
    assert "Every point is a single run" in texts(open_page("compare"))


def test_the_test_set_is_shown_with_a_word_on_why_not_to_choose_by_it(three_runs):
    page = open_page("compare")
    assert not page.warning
    page.button_group(key="split").set_value("test").run()
    assert "choose on validation" in page.warning[0].value


def test_results_on_the_test_set_are_not_in_the_table_that_people_choose_by(three_runs):
    page = open_page("compare")
    assert "test_finetuned" not in page.dataframe[0].value
    page.button_group(key="split").set_value("test").run()
    assert "test_finetuned" in page.dataframe[0].value


def test_a_model_without_data_is_not_sent_to_prune(history):
    page = open_page("compare", model="torchvision/resnet18")
    assert "No runs of this model yet" in texts(page)
    assert not page.get("page_link")


def test_a_run_without_a_measured_latency_is_listed_as_pending(history):
    add_finished(history, recipe(), timed=True)
    add_finished(history, recipe(amount=0.8), timed=False)
    page = open_page("compare")
    page.button_group(key="axis").set_value("latency").run()
    assert len([run for trace in chart(page) for run in trace.get("ids", [])]) == 1
    assert "Latency pending for" in texts(page)


def test_a_reload_finds_the_chart_of_before_in_the_address(history):
    for seed in (0, 1):
        add_finished(history, recipe(seed=seed))
    add_study(history, Sweep(recipe(scorer="taylor"), ("taylor",), (0.3,), ("channel",), (0,), controls=False))
    page = open_page("compare")
    assert address_of(page) == {"model": "lenet-fashion"}
    page.button_group(key="axis").set_value("latency").run()
    page.button_group(key="split").set_value("test").run()
    page.selectbox(key="compared_sweep").set_value("own").run()
    address = {"model": "lenet-fashion", "axis": "latency", "split": "test", "runs": "own"}
    assert address_of(page) == address
    again = open_page("compare", address)
    assert [again.button_group(key=key).value for key in ("axis", "split")] == ["latency", "test"]
    assert again.selectbox(key="compared_sweep").value == "own"
    broken = open_page("compare", address | {"axis": "watts", "split": "<b>", "runs": "gone"})
    assert [broken.button_group(key=key).value for key in ("axis", "split")] == ["sparsity", "validation"]
    assert address_of(broken) == {"model": "lenet-fashion"}


def test_runs_that_failed_are_the_reason_why_there_is_no_point(history):
    run_id = add_running(history, recipe())
    history.change(run_id, state="failed", error="Training diverged in epoch 1; choose a learning rate below 1.")
    assert "1 run is over without a result: it failed, was stopped or was cut off." in texts(open_page("compare"))


def test_where_no_run_has_a_point_a_sentence_stands_instead_of_an_empty_chart(history):
    add_running(history, recipe())
    page = open_page("compare")
    assert not page.get("plotly_chart")
    assert "None of these runs has a point against “Sparsity”." in texts(page)
    assert texts(page).count("1 run is on its way and will appear here.") == 1
    add_finished(history, recipe(amount=0.8), timed=False)
    page.button_group(key="axis").set_value("latency").run()
    assert not page.get("plotly_chart")
    assert "None of these runs has a point against “Measured latency”." in texts(page)
    assert texts(page).count("Latency pending for") == 1
    page.button_group(key="axis").set_value("sparsity").run()
    assert chart(page)


def test_models_beside_each_other_have_panels_of_which_the_chosen_one_is_first(history):
    for model in ("lenet-fashion", "mlp-digits"):
        add_finished(history, recipe(model=model))
    page = open_page("compare")
    page.button_group(key="other_models").set_value(["mlp-digits"]).run()
    (drawn,) = page.get("plotly_chart")
    notes = json.loads(drawn.proto.spec)["layout"]["annotations"]
    assert [note["text"] for note in notes] == ["<b>LeNet on Fashion-MNIST</b>", "<b>Perceptron on digits</b>"]


def test_latency_can_be_looked_at_for_each_batch_size(history):
    add_finished(history, recipe())
    page = open_page("compare")
    page.button_group(key="axis").set_value("latency").run()
    page.button_group(key="batch").set_value(1).run()
    assert page.dataframe[0].value["latency_ms_before"].iloc[0] == 0.2


def test_a_speedup_far_below_the_theoretical_one_is_explained(history):
    add_finished(history, recipe(granularity="weight", amount=0.9))
    assert "10.00× fewer MACs, 1.00× measured. Zeros stay dense" in texts(open_page("compare"))


def test_a_chosen_run_is_renamed(history, three_runs):
    page = choose(open_page("compare"), 2)
    page.text_input(key=f"title_{three_runs[0]}").set_value("the good one").run()
    page.button(key="rename").click().run()
    assert history.run(three_runs[0]).title == "the good one"
    assert "the good one" in list(page.dataframe[0].value["title"])


def test_chosen_runs_are_deleted_after_one_more_click(history, three_runs):
    page = choose(open_page("compare"), 1, 2)
    assert "Delete 2 runs with their figures and their models? This cannot be undone." in texts(page)
    page.button(key="delete").click().run()
    assert [run.id for run in history.runs()] == three_runs[2:]
    assert len(page.dataframe[0].value) == 1


def test_a_running_run_cannot_be_deleted(history, three_runs):
    page = choose(open_page("compare"), 0, 1)
    page.button(key="delete").click().run()
    assert [run.id for run in history.runs()] == [three_runs[0], three_runs[2]]


def test_a_choice_stays_with_its_runs_when_others_come(history, three_runs):
    page = choose(open_page("compare"), 2)
    assert "3 runs, 1 chosen" in texts(page)
    add_finished(history, recipe(amount=0.9))
    page.run()
    assert "4 runs, 1 chosen" in texts(page)
    assert cards(page) == [three_runs[0]]


def test_a_click_on_a_point_opens_its_card_and_marks_its_row(three_runs):
    page = click(open_page("compare"), three_runs[0])
    assert cards(page) == [three_runs[0]]
    assert marked(page) == ["magnitude · channels · 50 % units · one-shot · 3 epochs"]


def test_the_latest_gesture_wins(three_runs):
    page = click(open_page("compare"), three_runs[0])
    assert cards(choose(page, 1)) == [three_runs[1]]
    assert cards(click(page, three_runs[0])) == [three_runs[0]]
    assert cards(choose(page)) == []


def test_a_double_click_on_a_point_leaves_its_card_open(three_runs):
    page = click(open_page("compare"), three_runs[0])
    assert cards(click(page)) == [three_runs[0]]


def test_a_card_can_be_closed(three_runs):
    page = choose(open_page("compare"), 1, 2)
    assert len(cards(page)) == 2
    page.button(key="close_chosen").click().run()
    assert cards(page) == []
    assert marked(page) == []


def test_a_click_on_a_mean_lists_the_runs_of_its_seeds_and_each_can_be_opened(history):
    runs = [add_finished(history, recipe(seed=seed), finetuned=0.9 + 0.01 * seed) for seed in (0, 1, 2)]
    page = click(open_page("compare"), *runs)
    assert "3 seeds of one recipe: 91.0 % ± 1.00 on validation" in texts(page)
    assert cards(page) == []
    page.button(key=f"open_{runs[1]}").click().run()
    assert cards(page) == [runs[1]]


def test_many_chosen_runs_are_listed_and_not_told_in_full(history):
    for amount in range(1, 16):
        add_finished(history, recipe(amount=amount / 20))
    page = choose(open_page("compare"), *range(15))
    assert "15 runs chosen" in texts(page)
    assert "and 3 more runs" in texts(page)
    assert cards(page) == []


def test_a_branch_opens_the_recipe_of_the_run_in_prune(history):
    asked = recipe(scorer="random", amount=0.37, seed=5)
    run = add_finished(history, asked)
    page = choose(open_page("compare"), 0)
    page.button(key=f"branch_{run}").click().run()
    assert page.session_state["recipe"] == asked
    assert page.number_input(key="form.amount").value == 37
    assert page.number_input(key="form.seed").value == 5


def test_a_branch_from_a_run_of_a_model_that_is_gone_is_refused_in_one_sentence(history, monkeypatch):
    run = add_finished(history, recipe())
    page = choose(open_page("compare"), 0)

    def gone(name):
        raise UnknownName.of("model", name, {})

    monkeypatch.setattr("prunekit.ui.panels.branch.model_card", gone)
    page.button(key=f"branch_{run}").click().run()
    assert "The recipe of this run cannot be opened here any more. There is no model called" in texts(page)


def test_size_and_wall_time_are_axes_too(three_runs):
    page = open_page("compare")
    page.button_group(key="axis").set_value("bytes").run()
    assert next(trace["x"] for trace in chart(page) if trace.get("ids")) == [200_000]
    page.button_group(key="axis").set_value("time").run()
    assert next(trace["x"] for trace in chart(page) if trace.get("ids")) == [9.5]


def test_what_is_within_noise_is_said_in_words_and_in_the_table(history):
    add_finished(history, recipe(), finetuned=0.90)
    add_finished(history, recipe(scorer="random"), finetuned=0.89)
    page = open_page("compare")
    assert "50 % of the channels: Magnitude is highest, but does not lead" in texts(page)
    assert "within noise of that" in texts(page)
    assert sorted(page.dataframe[0].value["standing"].dropna()) == ["best", "within noise"]


def test_ones_own_runs_can_be_looked_at_without_the_studies(history):
    add_study(history, Sweep(recipe(), ("magnitude",), (0.3, 0.6), ("channel",), (0,), controls=False))
    page = open_page("compare")
    assert "own" not in page.selectbox(key="compared_sweep").options
    own = add_finished(history, recipe(amount=0.7))
    page = open_page("compare")
    assert len(page.dataframe[0].value) == 3
    page.selectbox(key="compared_sweep").set_value("own").run()
    assert list(page.dataframe[0].value.index) == [own]


def test_a_timing_of_a_busy_machine_is_told_as_one(history):
    steady, shaken = add_finished(history, recipe(amount=0.7)), add_finished(history, recipe(amount=0.5))
    result = history.run(shaken).result
    history.change(shaken, result=result | latency(1.45, spread=2.0))
    page = open_page("compare")
    page.button_group(key="axis").set_value("latency").run()
    title = history.run(shaken).title
    assert f"Timed while the machine was busy, so that the point says little: “{title}”." in texts(page)
    bars = {run: trace["error_x"]["array"][i] for trace in chart(page) for i, run in enumerate(trace.get("ids", []))}
    assert bars[shaken] > 3 * bars[steady] > 0


def test_the_runs_of_one_sweep_can_be_looked_at_alone(history):
    asked = [recipe(amount=0.3), recipe(amount=0.6)]
    plan = Sweep(recipe(), ("magnitude",), (0.3, 0.6), ("channel",), (0,), controls=False)
    for one in asked:
        add_finished(history, one)
    history.add_sweep(plan.to_plain(), plan.fingerprint, "thirds", [(asked[0].to_plain(), asked[0].fingerprint, "")])
    page = open_page("compare")
    assert len(page.dataframe[0].value) == 2
    page.selectbox(key="compared_sweep").set_value(history.sweeps()[0].id).run()
    assert list(page.dataframe[0].value["sparsity_target"]) == [0.3]


def test_a_damaged_history_is_one_sentence(history):
    history.path.write_bytes(b"this is no database, whatever its name says" * 100)
    for leftover in history.folder.glob("runs.sqlite-*"):
        leftover.unlink()
    page = open_page("compare")
    assert "The run history is damaged" in errors(page)[0]
