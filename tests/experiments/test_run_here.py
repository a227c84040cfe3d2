"""Runs of this process, as `prunekit sweep` and the studies do them: cut off, they go on where they were."""

import pytest

from prunekit.core.errors import StoreUnavailable
from prunekit.core.recipe import Recipe, Training
from prunekit.experiments.ledger import Ledger
from prunekit.experiments.local import run_here

RECIPE = Recipe("mlp-digits", amount=0.25, training=Training(epochs=3, precision="float32"))


def test_an_epoch_that_could_not_be_told_is_run_once_more_and_told_as_another_attempt(tmp_path, monkeypatch):
    store, real = Ledger(tmp_path), Ledger.add_events

    def locked(self, run_id, attempt, events):
        if [(event["kind"], event.get("epoch")) for event in events] == [("epoch", 2)]:
            raise StoreUnavailable("The run history is locked.")
        real(self, run_id, attempt, events)

    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "add_events", locked)
        with pytest.raises(StoreUnavailable):
            run_here(RECIPE, store)
    run = run_here(RECIPE, store)
    assert [other.id for other in store.runs()] == [run.id]
    assert run.state == "finished"
    told = store.events(run.id, ("epoch",))
    assert [(event["attempt"], event["epoch"]) for event in told] == [(0, 1), (1, 2), (1, 3)]
