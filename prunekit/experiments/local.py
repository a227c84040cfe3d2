"""Runs a recipe in this process and keeps it in a store of its own: for studies and scripts, without an engine."""

import time
from collections.abc import Callable

from prunekit.core.disk import clear_parts, write_whole
from prunekit.core.errors import PrunekitError, StoreUnavailable
from prunekit.core.recipe import Recipe
from prunekit.experiments.ledger import Ledger
from prunekit.experiments.runs import CHECKPOINT, MODEL_FILES, Run
from prunekit.pruning.checkpoints import Checkpoint
from prunekit.pruning.loop import execute
from prunekit.pruning.timing import time_files
from prunekit.training.threads import idle_threads


def run_here(
    recipe: Recipe,
    store: Ledger,
    report: Callable[[dict], None] | None = None,
    timed: bool = False,
    role: str = "run",
) -> Run:
    """The finished run of a recipe: an earlier one, if the store has it; one that was cut off goes on.

    timed: measure the latency too, also of an earlier run that was not timed and whose model is still there;
    store: written by nobody else meanwhile. Raises what the run failed with, which the store then
    knows; a disk or a store that cannot be written says nothing about the run, which goes on another time.
    """
    known = store.same(recipe.fingerprint)
    if known is not None and known.state == "finished":
        return _timed(known, store) if timed else known
    run_id = known.id if known else store.add(recipe.to_plain(), recipe.fingerprint, recipe.title(), role)
    folder = store.files(run_id)
    folder.mkdir(parents=True, exist_ok=True)
    clear_parts(folder)
    path, number, attempt = folder / CHECKPOINT, 0, known.attempt + 1 if known else 0
    held: list[bytes] = []  # the checkpoint of an epoch that is not told yet: none is gone on from untold

    def keep(checkpoint: Checkpoint) -> None:
        held[:] = [checkpoint.to_bytes()]

    def record(event: dict) -> None:
        nonlocal number
        if event["kind"] != "progress":
            store.add_events(run_id, attempt, [event | {"number": number, "time": time.time()}])
            number += 1
        if held:
            write_whole(path, held.pop())
        if report is not None:
            report(event)

    store.change(run_id, state="running", started=time.time(), attempt=attempt)
    try:
        checkpoint = Checkpoint.from_bytes(path.read_bytes()) if path.is_file() else None
        outcome = execute(recipe, record, checkpoint=checkpoint, keep=keep, threads=idle_threads(), timed=timed)
    except (StoreUnavailable, OSError):
        raise
    except Exception as error:
        sentence = str(error) if isinstance(error, PrunekitError) else repr(error)
        store.change(run_id, state="failed", ended=time.time(), error=sentence)
        raise
    outcome.save(folder)
    store.change(run_id, state="finished", ended=time.time(), result=outcome.result)
    path.unlink(missing_ok=True)
    return store.run(run_id)


def _timed(run: Run, store: Ledger) -> Run:
    """The finished run with its latency, measured now unless it is known."""
    paths = [store.files(run.id) / name for name in MODEL_FILES]
    if run.result.get("speedup") is None and all(path.is_file() for path in paths):
        measured = time_files({path.name: path.read_bytes() for path in paths})
        store.change(run.id, result=run.result | measured)
    return store.run(run.id)
