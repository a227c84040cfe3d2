"""A study that came with prunekit: on the first chart, folded elsewhere, and never in the way of one's own runs."""

import pytest

from prunekit.core.sweep import Sweep
from prunekit.experiments.runs import STUDY
from prunekit.ui.panels.sweep_form import _states
from tests.pages.in_process_engine import open_page, texts
from tests.pages.test_compare import chart, choose
from tests.sample_runs import add_finished, add_study, recipe


@pytest.fixture
def study(history) -> list[str]:
    plan = Sweep(recipe(), ("magnitude",), (0.3, 0.5), ("channel",), (0, 1), controls=False)
    return add_study(history, plan)


def test_prune_has_a_line_for_the_study_and_none_for_its_runs(study):
    page = open_page("prune")
    assert "Study: two cuts" in texts(page)
    assert not [button.key for button in page.button if str(button.key).startswith("branch_")]
    page.button(key="show_small-1").click().run()
    assert "Means and spreads" in [expander.label for expander in page.expander]


def test_one_s_own_latest_run_is_told_in_full_beside_it(study, history):
    own = add_finished(history, recipe(amount=0.7))
    page = open_page("prune")
    assert [button.key for button in page.button if str(button.key).startswith("branch_")] == [f"branch_{own}"]


def test_a_recipe_of_the_study_is_run_here_when_somebody_starts_it(study, history):
    page = open_page("prune", recipe=recipe(amount=0.5, seed=1))
    page.checkbox(key="form.control").uncheck().run()
    page.button(key="start").click().run()
    assert [run.state for run in history.runs() if run.role != STUDY] == ["queued"]


def test_the_first_chart_has_the_study_on_it_and_nothing_is_promised_that_will_not_come(study):
    page = open_page("compare")
    drawn = {run for trace in chart(page) for ids in trace.get("ids", ()) for run in ids.split()}
    assert drawn == set(study)
    choose(page, 0)
    assert "not timed: made on another machine" in texts(page)
    page.button_group(key="axis").set_value("latency").run()
    assert "4 runs of the studies that came with prunekit have no latency" in texts(page)
    assert "when nothing trains any more" not in texts(page)


def test_its_runs_can_be_deleted_with_it(study, history):
    page = open_page("prune")
    page.button(key="show_small-1").click().run()
    page.checkbox(key="with_runs_small-1").check().run()
    page.button(key="delete_small-1").click().run()
    assert history.runs() == []
    assert history.sweeps() == []


def test_its_runs_are_not_counted_as_done_in_a_sweep_of_one_s_own(study, history):
    assert _states(history.runs()) == {}
    own = add_finished(history, recipe(amount=0.3))
    assert _states(history.runs()) == {history.run(own).fingerprint: "finished"}
