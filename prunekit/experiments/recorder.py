"""The recorder: the only process that writes the run store, and the one that gives runs to the training lane.

Its functions are tasks of the Dask worker that has the resource `recorder`. While it is away they wait on the
scheduler, so nothing that a training worker reports is lost.
"""

import contextlib
import dataclasses
import os
import threading
import time
from pathlib import Path

from filelock import FileLock, Timeout

from prunekit.core.disk import clear_parts, write_whole
from prunekit.core.errors import BadSetting, StoreUnavailable, UnknownName
from prunekit.core.language import _
from prunekit.core.recipe import Recipe
from prunekit.core.sweep import Sweep
from prunekit.experiments.folder import disk_full, free_bytes, home, refusal
from prunekit.experiments.ledger import Ledger
from prunekit.experiments.processes import EngineFolder
from prunekit.experiments.recovery import bring_back, forgotten
from prunekit.experiments.runs import ACTIVE, CHECKPOINT, MODEL_FILES, RESUMABLE, STUDY, WAITING, Run, rank
from prunekit.experiments.training_lane import TrainingLane
from prunekit.experiments.upkeep import Upkeep, worker_died
from prunekit.experiments.writer import Writer

LOCK_SECONDS = 25  # an older recorder that is about to end is waited for; less than the nanny's patience
ROOM_BYTES = 50 * 2**20  # less free disk than this, and no run is begun

writer = Writer()
_only: FileLock | None = None


def dask_setup(worker) -> None:
    """Called by Dask when the recorder starts: waits to be the only one, and begins to look after the runs."""
    global _only
    # Held for as long as this process lives, and freed by the system however it ends.
    _only = FileLock(EngineFolder(home()).path / "recorder.lock", timeout=LOCK_SECONDS, thread_local=False)
    try:
        _only.acquire()
    except Timeout:  # Dask would go on without this: a second writer, that nothing looks after
        os._exit(1)  # its nanny, or a server, starts another
    worker.metrics["prunekit"] = lambda _worker: {"trouble": writer.trouble}  # pages hear of it through the scheduler
    threading.Thread(target=Upkeep(writer).watch, args=(worker,), name="recorder-watch", daemon=True).start()


def store() -> Ledger:
    """The one writable store of this process."""
    return writer.ledger()


def lane() -> TrainingLane:
    """The training lane as this process sees it."""
    return TrainingLane()


# -- what pages and the command line ask for ------------------------------------------------------------------


def enqueue(recipe: dict, role: str = "run", again: bool = False) -> dict:
    """Queues a run; a recipe that is already waiting, running or finished is shown, not run again."""
    asked = Recipe.from_plain(recipe)
    with writer.lock:
        known = None if again else store().same(asked.fingerprint)
        if known is not None:
            _promote(known, role)
            return {"id": known.id, "known": True, "state": known.state}
        _check_room()
        run_id = store().add(asked.to_plain(), asked.fingerprint, asked.title(), role)
        lane().submit([store().run(run_id)])
    return {"id": run_id, "known": False, "state": "queued"}


def _check_room() -> None:
    if free_bytes(home()) < ROOM_BYTES:
        raise StoreUnavailable(disk_full())


def _promote(known: Run, role: str) -> None:
    """A run that waited for a sweep, and that somebody now asks for, waits with people's own and is theirs."""
    if known.is_over or rank(role) >= rank(known.role):
        return
    if known.state not in WAITING:
        store().change(known.id, role=role)
        return
    # Another attempt: the task of the old one may be on its way to a worker already, and is then sent away.
    store().last_in_queue(known.id, role=role, attempt=known.attempt + 1)
    lane().cancel([known])
    lane().submit([store().run(known.id)])


def stop(run_id: str) -> None:
    """Stops a run: a queued one at once, a running one at its next batch."""
    with writer.lock:
        run = store().run(run_id)
        if run.state in WAITING:
            lane().cancel([run])
            store().change(run_id, state="stopped", ended=time.time())
        elif run.state == "running":
            lane().stop(run_id)  # first: it stops even when that cannot be written down
            store().change(run_id, state="stopping")


def resume(run_id: str, afresh: bool = False) -> None:
    """Queues a run that was stopped, interrupted or failed again; it goes on from its last checkpoint.

    afresh: without the checkpoint, from the beginning. A run that is on its way already is left alone: a second press,
    or the same one, told twice.
    """
    with writer.lock:
        run = store().run(run_id)
        if not run.is_over:
            return
        if run.state not in RESUMABLE:
            raise BadSetting(_("Only a run that was stopped or interrupted can be resumed."))
        writer.write_again()  # its newest checkpoint may be among what waits for a full disk
        store().change(run_id, state="queued", error=None, ended=None, attempt=run.attempt + 1)
        if afresh:
            (store().files(run_id) / CHECKPOINT).unlink(missing_ok=True)
        lane().submit([store().run(run_id)])


def rename(run_id: str, title: str) -> None:
    """Gives a run another title."""
    title = title.strip()[:200]
    if not title:
        raise BadSetting(_("A run needs a name."))
    with writer.lock:
        store().run(run_id)
        store().change(run_id, title=title)


def delete(run_id: str) -> None:
    """Deletes a run that is over, and its files."""
    with writer.lock:
        if not store().run(run_id).is_over:
            raise BadSetting(_("This run is not over yet; stop it first."))
        with forgotten([store().files(run_id)]):
            store().delete(run_id)


# -- sweeps: the same for many runs at once --------------------------------------------------------------------


def start_sweep(plan: dict) -> dict:
    """Queues the runs of a sweep that nobody has run yet; {"id", "new", "known"}, the last two as numbers of runs.

    The same sweep once more is the one that is there, with whatever of it was deleted.
    """
    asked = Sweep.from_plain(plan)
    wanted = [(recipe.to_plain(), recipe.fingerprint, recipe.title()) for recipe in asked.recipes()]
    with writer.lock:
        _check_room()
        sweep_id, new, known = store().add_sweep(asked.to_plain(), asked.fingerprint, asked.name()[:200], wanted)
        if new:
            store().change_sweep(sweep_id, stopped=False)
            ids = set(new)
            lane().submit(run for run in store().runs_of(sweep_id) if run.id in ids)
    return {"id": sweep_id, "new": len(new), "known": len(known)}


def stop_sweep(sweep_id: str) -> None:
    """Stops what a sweep has queued and running; not people's own runs, nor those that another sweep waits for."""
    with writer.lock:
        store().sweep(sweep_id)
        store().change_sweep(sweep_id, stopped=True)
        mine = _only_of(sweep_id, [other.id for other in store().sweeps() if not other.stopped])
        waiting = [run for run in mine if run.state in WAITING]
        running = [run for run in mine if run.state == "running"]
        # First what is true, then what follows: a task that comes through in between is sent away by `begin`.
        store().change_many([run.id for run in waiting], state="stopped", ended=time.time())
        store().change_many([run.id for run in running], state="stopping")
        if waiting:
            lane().cancel(waiting)
        for run in running:
            lane().stop(run.id)


def resume_sweep(sweep_id: str) -> None:
    """Queues everything of a sweep again that was stopped, interrupted or failed, and what is just being stopped."""
    with writer.lock:
        store().sweep(sweep_id)
        writer.write_again()
        store().change_sweep(sweep_id, stopped=False)
        again = [run for run in store().runs_of(sweep_id) if run.state in (*RESUMABLE, "stopping")]
        store().change_many([run.id for run in again], again=True, state="queued", error=None, ended=None)
        for run in again:
            if run.state == "stopping":
                lane().stop(run.id)  # once more: nobody looks after an attempt that another has followed
        lane().submit(dataclasses.replace(run, attempt=run.attempt + 1) for run in again)


def rename_sweep(sweep_id: str, title: str) -> None:
    """Gives a sweep another title."""
    title = title.strip()[:200]
    if not title:
        raise BadSetting(_("A sweep needs a name."))
    with writer.lock:
        store().sweep(sweep_id)
        store().change_sweep(sweep_id, title=title)


def delete_sweep(sweep_id: str, with_runs: bool = False) -> None:
    """Forgets a sweep that is over; `with_runs` deletes its runs too, but none that is anybody else's."""
    with writer.lock:
        store().sweep(sweep_id)
        mine = _only_of(sweep_id, [other.id for other in store().sweeps()])
        if not all(run.is_over for run in mine):
            raise BadSetting(_("This sweep is not over yet; stop it first."))
        gone = [run.id for run in mine] if with_runs else []
        with forgotten([store().files(run_id) for run_id in gone]):
            store().delete_sweep(sweep_id, gone)


def _only_of(sweep_id: str, sweeps: list[str]) -> list[Run]:
    """The runs of a sweep or a study that are nobody's own and in none of the other `sweeps`."""
    members = store().members()
    shared = {run_id for other in sweeps if other != sweep_id for run_id in members.get(other, ())}
    return [run for run in store().runs_of(sweep_id) if run.role in ("sweep", STUDY) and run.id not in shared]


# -- what training workers report -----------------------------------------------------------------------------


def begin(run_id: str, attempt: int, by: str = "", threads: int | None = None) -> dict:
    """Says whether a worker may start this attempt, from which checkpoint, and how the attempts before computed.

    by: a name of this call, the same when Dask repeats it because the recorder died; threads: what the worker would
    take. Dask hands the task of a worker that died to the next one. That is how the death is noticed: the attempt has
    begun before, by another. It is then reported, not repeated, and the next run gets the worker.
    """
    with writer.lock:
        run = store().run(run_id)
        begun = store().events(run_id, ("begun",))
        mine = bool(by) and any((e["attempt"], e["by"]) == (attempt, by) for e in begun)
        if run.attempt != attempt or not (run.state in WAITING or (mine and run.state in ACTIVE)):
            if run.attempt == attempt and run.state in ACTIVE:
                store().interrupt(run_id, worker_died())
            return {"go": False}
        if by and not mine:
            event = {"number": -1, "time": time.time(), "kind": "begun", "by": by, "threads": threads}
            store().add_events(run_id, attempt, [event])
        if run.state in WAITING:
            store().change(run_id, state="running", started=time.time())
    go = {
        "go": True,
        "recipe": run.recipe,
        "fingerprint": run.fingerprint,
        "checkpoint": None,
        "threads": threads,
        "precision": None,
    }
    if begun:  # as many threads and the same precision give the same weights again
        go["threads"] = begun[0]["threads"]
        precision = next(iter(store().events(run_id, ("precision",))), None)
        go["precision"] = precision and [precision["name"], precision["channels_last"]]
    path = store().files(run_id) / CHECKPOINT
    with contextlib.suppress(OSError):
        clear_parts(path.parent)
    if path.is_file():
        with contextlib.suppress(OSError):
            return go | {"checkpoint": _bytes(path.read_bytes())}
        go["checkpoint"] = _bytes(b"")  # there is one, and it cannot be read: the worker will say so
    return go


def record(run_id: str, attempt: int, events: list[dict]) -> None:
    """Appends events of a run."""
    writer.write(_record, run_id, attempt, events)


def _record(run_id: str, attempt: int, events: list[dict]) -> None:
    store().add_events(run_id, attempt, events)


def keep(run_id: str, attempt: int, files: dict, events: list[dict] = ()) -> None:
    """Keeps files of a run (name -> bytes as uint8 array): whole or not at all, each; and before them `events`.

    A checkpoint comes with the event of its epoch: whatever is killed in between, no epoch is gone on from untold.
    """
    with writer.lock:
        if events:
            writer.write(_record, run_id, attempt, events)
        # Of files that wait for a full disk, the newer ones take the place of the older.
        writer.drop(
            lambda function, args: (
                function is _keep and args[:2] == (run_id, attempt) and args[2].keys() <= files.keys()
            )
        )
        writer.write(_keep, run_id, attempt, files)


def _keep(run_id: str, attempt: int, files: dict) -> None:
    folder, run = store().files(run_id), _known(run_id)
    if run is None and not folder.is_dir():
        return  # it was deleted
    if run is not None and run.attempt != attempt:
        return  # a worker that was given up on speaks last
    for name, content in files.items():
        try:
            write_whole(folder / Path(name).name, content.tobytes())
        except OSError as error:
            raise StoreUnavailable(refusal(error, home())) from error


def _known(run_id: str) -> Run | None:
    """A run; None when it was deleted, which took its folder too, or when the history was lost while it ran."""
    with contextlib.suppress(UnknownName):
        return store().run(run_id)
    return None


def finish(run_id: str, attempt: int, state: str, result: dict | None, error: str | None) -> None:
    """The last word on an attempt."""
    told = writer.write(_finish, run_id, attempt, state, result, error)
    if told and state == "finished" and _known(run_id) is not None:
        lane().submit_timing(run_id)


def _finish(run_id: str, attempt: int, state: str, result: dict | None, error: str | None) -> None:
    run = _known(run_id)
    if run is None:
        bring_back(store())  # from its files, if they are there
    elif run.attempt == attempt and not run.is_over:
        values = {"state": state, "ended": time.time(), "error": error}
        store().change(run_id, **values | ({"result": result} if result is not None else {}))
        if state == "finished":
            (store().files(run_id) / CHECKPOINT).unlink(missing_ok=True)


def model_files(run_id: str) -> dict:
    """The files of a run's pruned model, as uint8 arrays."""
    folder = store().files(run_id)
    return {name: _bytes((folder / name).read_bytes()) for name in MODEL_FILES if (folder / name).is_file()}


def timed(run_id: str, measured: dict) -> None:
    """Adds what was measured on the drained lane to a run's result."""
    writer.write(_timed, run_id, measured)


def _timed(run_id: str, measured: dict) -> None:
    run = store().run(run_id)
    store().change(run_id, result=(run.result or {}) | measured)


def _bytes(content: bytes):
    import numpy as np

    return np.frombuffer(content, dtype=np.uint8)
