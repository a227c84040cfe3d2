"""Finished studies come into every history once, and never again."""

import pytest

from prunekit.core.errors import CorruptFile
from prunekit.core.sweep import Sweep
from prunekit.experiments.histories import FOLDER, bring_in, read, write
from prunekit.experiments.ledger import Ledger
from prunekit.experiments.runs import STUDY
from prunekit.experiments.store import Store
from tests import sample_runs

SHIPPED = sorted(FOLDER.glob("*.json.gz"))


@pytest.fixture(autouse=True)
def studies(monkeypatch):
    monkeypatch.setenv("PRUNEKIT_STUDIES", "on")


@pytest.fixture
def folder(tmp_path):
    """A history of one sweep of two finished runs."""
    plan = Sweep(sample_runs.recipe(), ("magnitude",), (0.3, 0.5), ("channel",), (0,), controls=False)
    lab = Ledger(tmp_path / "lab")
    for recipe in plan.recipes():
        sample_runs.add_finished(lab, recipe)
    folder = tmp_path / "histories"
    write(folder / "small.json.gz", "small", [(plan.to_plain(), "Two cuts", lab.runs())], {"machine": "one"})
    return folder


@pytest.fixture
def store(tmp_path):
    return Ledger(tmp_path / "app")


def test_the_runs_of_a_history_are_there_from_the_first_start(store, folder):
    bring_in(store, folder)
    assert [run.state for run in store.runs()] == ["finished"] * 2
    assert {run.role for run in store.runs()} == {STUDY}
    assert store.runs()[0].result["test_finetuned"] == pytest.approx(0.895)
    [sweep] = store.sweeps()
    assert sweep.title == "Two cuts"
    assert [run.recipe["amount"] for run in store.runs_of(sweep.id)] == [0.3, 0.5]


def test_a_recipe_of_a_history_can_be_run_here_too(store, folder):
    bring_in(store, folder)
    recipe = sample_runs.recipe(amount=0.3)
    assert store.same(recipe.fingerprint) is None
    wanted = [(recipe.to_plain(), recipe.fingerprint, recipe.title())]
    _sweep, new, known = store.add_sweep({}, "mine", "mine", wanted)
    assert (len(new), known) == (1, [])


def test_a_history_is_brought_in_once_also_when_its_runs_were_deleted(store, folder):
    bring_in(store, folder)
    for run in store.runs():
        store.delete(run.id)
    bring_in(store, folder)
    assert store.runs() == []


def test_one_s_own_runs_stay_beside_a_history_that_comes_later(store, folder):
    own = store.add(sample_runs.recipe(amount=0.3).to_plain(), sample_runs.recipe(amount=0.3).fingerprint, "own", "run")
    bring_in(store, folder)
    assert len(store.runs()) == 3
    assert store.run(own).title == "own"


def test_it_can_be_left_out(store, folder, monkeypatch):
    monkeypatch.setenv("PRUNEKIT_STUDIES", "off")
    bring_in(store, folder)
    assert store.runs() == []


def test_a_damaged_history_is_left_out_and_nothing_else(store, folder):
    (folder / "broken.json.gz").write_bytes((folder / "small.json.gz").read_bytes()[:100])
    with pytest.raises(CorruptFile):
        read(folder / "broken.json.gz")
    bring_in(store, folder)
    assert len(store.runs()) == 2


def test_the_same_runs_give_the_same_bytes(folder, tmp_path):
    history = folder / "small.json.gz"
    before = history.read_bytes()
    lab = Store(tmp_path / "lab")
    sweep = read(history)["sweeps"][0]
    write(history, "small", [(sweep["plan"], sweep["title"], lab.runs())], {"machine": "one"})
    assert history.read_bytes() == before


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_a_shipped_history_is_of_the_models_and_recipes_of_today(path):
    for sweep in read(path)["sweeps"]:
        recipes = Sweep.from_plain(sweep["plan"]).recipes()
        assert [run["fingerprint"] for run in sweep["runs"]] == [recipe.fingerprint for recipe in recipes]
