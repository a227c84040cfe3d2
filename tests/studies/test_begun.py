"""A study that was cut off goes on where it was, on another machine too, once what it has done is committed."""

from types import SimpleNamespace

import pytest

from prunekit.core.recipe import Recipe, Training
from prunekit.experiments.local import run_here
from tests import results
from tests.results import Row
from tests.studies import __main__ as studies
from tests.studies import begun

QUICK = Training(epochs=0)
RECIPES = [(f"seed {seed}", Recipe("mlp-digits", training=QUICK, seed=seed)) for seed in (0, 1)]


class CutOff(Exception):
    pass


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A study of two runs; its value is their number."""

    def rows(points):
        return [Row("small", len(points), "runs", "", " and ".join(point["label"] for point in points), "")]

    study = SimpleNamespace(DATA="shipped", recipes=lambda: RECIPES, rows=rows)
    monkeypatch.setattr(studies, "STUDIES", {"small": study})
    monkeypatch.setattr(studies, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(begun, "FOLDER", tmp_path / "begun")
    return study


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """On a machine of the given name: the seeds that are run there, all, or none from `until` on."""

    def on(name: str, until: int = 2) -> list[int]:
        ran = []

        def run(recipe, store, report):
            if recipe.seed >= until:
                raise CutOff
            ran.append(recipe.seed)
            return run_here(recipe, store, report)

        monkeypatch.setenv("PRUNEKIT_HOME", str(tmp_path / name))
        monkeypatch.setattr(studies, "run_here", run)
        try:
            assert studies.main(["small"]) == 0
        except CutOff:
            assert until < 2
        return ran

    return on


def test_another_machine_runs_only_what_is_left(small, machine, tmp_path):
    assert machine("one", until=1) == [0]
    assert not (tmp_path / "results.json").exists()
    assert machine("other") == [1]
    saved = results.load(tmp_path / "results.json")
    assert saved["rows"][0]["spread"] == "seed 0 and seed 1"
    assert [point["seed"] for point in saved["points"]["small"]] == [0, 1]
    assert all(point["environment"]["cpu"] for point in saved["points"]["small"])


def test_a_finished_study_is_run_afresh_on_another_machine(small, machine):
    assert machine("one") == [0, 1]
    assert machine("other") == [0, 1]


def test_a_run_with_other_settings_does_not_count(small, machine):
    machine("one", until=1)
    small.recipes = lambda: [(label, recipe.with_(amount=0.3)) for label, recipe in RECIPES]
    assert machine("other") == [0, 1]
