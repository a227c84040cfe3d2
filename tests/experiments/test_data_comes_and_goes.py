"""Somebody fetches the full data, or takes it away, while runs wait: each stays with what it was asked for on."""

import pytest

from prunekit.core.data_folder import FULL_SETS, part_at_hand
from prunekit.core.recipe import Recipe, Training
from prunekit.experiments import recorder, worker
from prunekit.experiments.folder import home
from prunekit.experiments.store import Store
from tests.recorder_alone import recorder_alone, told_at_once

RECIPE = Recipe("lenet-fashion", scorer="magnitude", training=Training(epochs=0))


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    recorder_alone(monkeypatch)
    told_at_once(monkeypatch)


@pytest.fixture
def full(tmp_path, monkeypatch) -> list:
    """The files of a full Fashion-MNIST, to be written; a run that read them would fail."""
    monkeypatch.setenv("PRUNEKIT_DATA", str(tmp_path / "data"))
    return [tmp_path / "data" / name for name in FULL_SETS["fashion-mnist"][0]]


def fetch(files: list) -> None:
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"no pictures")
    assert part_at_hand("fashion-mnist") == "full"


def test_a_run_that_was_asked_for_on_the_shipped_data_stays_with_it(full):
    run_id = recorder.enqueue(RECIPE.to_plain())["id"]
    fetch(full)
    worker.run_recipe(run_id, 0)
    run = Store(home()).run(run_id)
    assert (run.state, run.error) == ("finished", None)
    assert run.result["validation_examples"] == 1000
    assert (run.result["data_full"], run.result["fingerprint"]) == (False, run.fingerprint)
    assert recorder.enqueue(RECIPE.to_plain())["known"] is False  # on the full data it is another run


def test_a_run_whose_full_data_is_gone_says_so_and_can_be_resumed(full):
    fetch(full)
    run_id = recorder.enqueue(RECIPE.to_plain())["id"]
    full[0].unlink()
    worker.run_recipe(run_id, 0)
    run = Store(home()).run(run_id)
    assert run.state == "failed"
    assert run.error.startswith("The full Fashion-MNIST is not in")
    recorder.resume(run_id)
    assert Store(home()).run(run_id).state == "queued"


def test_a_run_of_other_weights_is_not_run(monkeypatch):
    run_id = recorder.enqueue(RECIPE.to_plain())["id"]
    recorder.store().change(run_id, fingerprint="0123456789")
    worker.run_recipe(run_id, 0)
    run = Store(home()).run(run_id)
    assert run.state == "failed"
    assert "start its recipe again as a new run" in run.error
