"""The recorder: the only process that writes the run store, and the one that gives runs to the training lane.

Its functions are tasks of the Dask worker that has the resource `recorder`. While it is away they wait on the
scheduler, so nothing that a training worker reports is lost.
"""

import logging
import shutil
import threading
import time
from pathlib import Path

from prunekit.core.errors import BadSetting, StoreUnavailable
from prunekit.core.language import _
from prunekit.core.recipe import Recipe
from prunekit.experiments.folder import free_bytes, home
from prunekit.experiments.processes import TRAINING, EngineFolder
from prunekit.experiments.store import ACTIVE, WAITING, Run, Store, queue_order

LOG = logging.getLogger(__name__)

HIRE_AGAIN_SECONDS = 30  # a training worker that was started needs this long before it is missed
WATCH_SECONDS = 3
FORGOTTEN_SECONDS = 60  # a finished run that nobody has begun to time by then was forgotten
ROOM_BYTES = 50 * 2**20  # less free disk than this, and no run is begun
CHECKPOINT = "checkpoint.npz"
MODEL_FILES = ("weights.safetensors", "plan.json")

_writing = threading.RLock()
_store: Store | None = None
_hired = float("-inf")
_unwritten: list[tuple] = []
_timing_tried: set[str] = set()


def dask_setup(worker) -> None:
    """Called by Dask when the recorder starts: begins to look after the runs."""
    threading.Thread(target=_watch, args=(worker,), name="recorder-watch", daemon=True).start()


def store() -> Store:
    """The one writable store of this process."""
    global _store
    with _writing:
        if _store is None or not _store.path.exists():
            _store = Store(home(), writable=True)
        return _store


# -- what pages and the command line ask for ------------------------------------------------------------------


def enqueue(recipe: dict, role: str = "run", again: bool = False) -> dict:
    """Queues a run; a recipe that is already waiting, running or finished is shown, not run again."""
    asked = Recipe.from_plain(recipe)
    with _writing:
        known = None if again else store().same(asked.fingerprint)
        if known is not None:
            return {"id": known.id, "known": True, "state": known.state}
        if free_bytes(home()) < ROOM_BYTES:
            raise StoreUnavailable(_("The disk is full; free some space and try again. Finished epochs are kept."))
        run_id = store().add(asked.to_plain(), asked.fingerprint, asked.title(), role)
        _submit(_client(), store().run(run_id))
    return {"id": run_id, "known": False, "state": "queued"}


def stop(run_id: str) -> None:
    """Stops a run: a queued one at once, a running one at its next batch."""
    with _writing:
        run = store().run(run_id)
        if run.state in WAITING:
            _client().cancel([task_key(run)], force=True)
            store().change(run_id, state="stopped", ended=time.time())
        elif run.state == "running":
            store().change(run_id, state="stopping")
            _flag(run_id)


def resume(run_id: str) -> None:
    """Queues a run that was stopped, interrupted or failed again; it goes on from its last checkpoint."""
    with _writing:
        run = store().run(run_id)
        if run.state not in ("stopped", "interrupted", "failed"):
            raise BadSetting(_("Only a run that was stopped or interrupted can be resumed."))
        store().change(run_id, state="queued", error=None, ended=None, attempt=run.attempt + 1)
        _submit(_client(), store().run(run_id))


def rename(run_id: str, title: str) -> None:
    """Gives a run another title."""
    title = title.strip()[:200]
    if not title:
        raise BadSetting(_("A run needs a name."))
    with _writing:
        store().run(run_id)
        store().change(run_id, title=title)


def delete(run_id: str) -> None:
    """Deletes a run that is over, and its files."""
    with _writing:
        if not store().run(run_id).is_over:
            raise BadSetting(_("This run is not over yet; stop it first."))
        store().delete(run_id)
        shutil.rmtree(store().files(run_id), ignore_errors=True)


# -- what training workers report -----------------------------------------------------------------------------


def begin(run_id: str, attempt: int) -> dict:
    """Says whether a worker may start this attempt, and from which checkpoint.

    Dask hands the task of a worker that died to the next one. That is how the death is noticed: the attempt has
    begun before. It is then reported, not repeated, and the next run gets the worker.
    """
    with _writing:
        run = store().run(run_id)
        if run.attempt != attempt or run.state not in WAITING:
            if run.attempt == attempt and run.state in ACTIVE:
                _interrupt(run, _("Its worker died in the middle of the run (killed, or out of memory)."))
            return {"go": False}
        store().change(run_id, state="running", started=time.time())
    path = store().files(run_id) / CHECKPOINT
    return {"go": True, "recipe": run.recipe, "checkpoint": _bytes(path.read_bytes()) if path.is_file() else None}


def record(run_id: str, attempt: int, events: list[dict]) -> None:
    """Appends events of a run."""
    _write(_record, run_id, attempt, events)


def _record(run_id: str, attempt: int, events: list[dict]) -> None:
    store().add_events(run_id, attempt, events)


def keep(run_id: str, attempt: int, files: dict) -> None:
    """Keeps files of a run (name -> bytes as uint8 array): whole or not at all, each."""
    with _writing:
        # Of files that wait for a full disk, the newer ones take the place of the older.
        older = [one for one in _unwritten if one[0] is _keep and one[1][:2] == (run_id, attempt)]
        for one in older:
            if one[1][2].keys() <= files.keys():
                _unwritten.remove(one)
        _write(_keep, run_id, attempt, files)


def _keep(run_id: str, attempt: int, files: dict) -> None:
    if store().run(run_id).attempt != attempt:
        return  # a worker that was given up on speaks last
    folder = store().files(run_id)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            temporary = folder / f".{Path(name).name}.tmp"
            temporary.write_bytes(content.tobytes())
            temporary.replace(folder / Path(name).name)
    except OSError as error:
        sentence = _("The disk is full; free some space and try again. Finished epochs are kept.")
        raise StoreUnavailable(sentence) from error


def finish(run_id: str, attempt: int, state: str, result: dict | None, error: str | None) -> None:
    """The last word on an attempt."""
    if _write(_finish, run_id, attempt, state, result, error) and state == "finished":
        _submit_timing(_client(), run_id)


def _finish(run_id: str, attempt: int, state: str, result: dict | None, error: str | None) -> None:
    run = store().run(run_id)
    if run.attempt == attempt and not run.is_over:
        values = {"state": state, "ended": time.time(), "error": error}
        store().change(run_id, **values | ({"result": result} if result is not None else {}))
        if state == "finished":
            (store().files(run_id) / CHECKPOINT).unlink(missing_ok=True)


def _write(function, *args) -> bool:
    """Writes what a worker reported, now or, when the disk is full or the store locked, as soon as that is over."""
    with _writing:
        try:
            _write_again()
            function(*args)
        except StoreUnavailable:
            LOG.exception("could not write; keeping it for later")
            _unwritten.append((function, args))
            return False
        return True


def _write_again() -> None:
    while _unwritten:
        function, args = _unwritten[0]
        function(*args)
        _unwritten.pop(0)


def model_files(run_id: str) -> dict:
    """The files of a run's pruned model, as uint8 arrays."""
    folder = store().files(run_id)
    return {name: _bytes((folder / name).read_bytes()) for name in MODEL_FILES if (folder / name).is_file()}


def timed(run_id: str, measured: dict) -> None:
    """Adds what was measured on the drained lane to a run's result."""
    with _writing:
        run = store().run(run_id)
        store().change(run_id, result=(run.result or {}) | measured)


# -- giving runs to the training lane -------------------------------------------------------------------------


def task_key(run: Run) -> str:
    """The name of an attempt's task on the scheduler."""
    return f"run-{run.id}-{run.attempt}"


def _client():
    from distributed import get_client

    return get_client()


def _bytes(content: bytes):
    import numpy as np

    return np.frombuffer(content, dtype=np.uint8)


def _submit(client, run: Run) -> None:
    from prunekit.experiments.worker import run_recipe

    # Dask takes the highest priority first: people's own runs in the order they were queued, then the controls.
    priority = (0 if run.role == "run" else -1e9) - (run.created - 1.577e9) / 1e3
    _train(client, run_recipe, run.id, run.attempt, key=task_key(run), priority=priority)


def _submit_timing(client, run_id: str) -> None:
    from prunekit.experiments.worker import time_run

    # Behind everything that trains: timing waits until the lane is drained.
    _train(client, time_run, run_id, key=f"timing-{run_id}-{time.time()}", priority=-1e12)


def _train(client, function, *args, key: str, priority: float) -> None:
    from distributed import fire_and_forget

    fire_and_forget(client.submit(function, *args, key=key, resources={"training": 1}, priority=priority, pure=False))
    _hire_training(client)


def _hire_training(client) -> None:
    global _hired
    if not _training_workers(client) and time.monotonic() - _hired > HIRE_AGAIN_SECONDS:
        _hired = time.monotonic()
        EngineFolder(home()).start_lane(TRAINING, client.scheduler.address)


def _training_workers(client) -> list[str]:
    workers = client.scheduler_info(n_workers=-1)["workers"]
    return [address for address, worker in workers.items() if worker["name"] == TRAINING.name]


def _flag(run_id: str) -> None:
    from prunekit.experiments.worker import raise_flag

    client = _client()
    if lane := _training_workers(client):
        client.run(raise_flag, run_id, workers=lane)


def _interrupt(run: Run, why: str) -> None:
    store().change(run.id, state="interrupted", ended=time.time(), error=why)


# -- putting right what died ----------------------------------------------------------------------------------


def _watch(worker) -> None:
    """Looks after the runs from time to time, for as long as the recorder lives."""
    from distributed import Client

    while worker.status.name in ("init", "undefined"):
        time.sleep(0.05)
    security = EngineFolder(home()).security()
    with Client(worker.scheduler.address, security=security, set_as_default=False) as client:
        while worker.status.name in ("running", "paused"):
            try:
                with _writing:
                    _write_again()
                    _reconcile(client)
            except Exception:
                LOG.exception("could not look after the runs; trying again")
            time.sleep(WATCH_SECONDS)


def _reconcile(client) -> None:
    """Runs that the scheduler does not know were cut off with an older engine; those that wait need a worker."""
    open_runs = sorted((r for r in store().runs() if not r.is_over), key=queue_order)
    tasks = client.run_on_scheduler(_task_states) if open_runs else {}
    for run in open_runs:
        if tasks.get(task_key(run)) in (None, "erred", "forgotten"):
            if run.state in WAITING:
                LOG.info("queueing %s again", run.id)
                store().change(run.id, attempt=run.attempt + 1)
                _submit(client, store().run(run.id))
            else:
                _interrupt(run, _("The engine went away in the middle of the run."))
    if any(not run.is_over for run in open_runs):
        _hire_training(client)
    _time_forgotten(client)


def _time_forgotten(client) -> None:
    """Runs that finished when they could not be timed (a full disk, an engine that died) are timed now, tried once."""
    for run in store().runs():
        untimed = run.state == "finished" and run.result and run.result.get("speedup") is None
        if untimed and run.id not in _timing_tried and time.time() - run.ended > FORGOTTEN_SECONDS:
            if not any(key.startswith(f"timing-{run.id}-") for key in client.run_on_scheduler(_task_states)):
                _submit_timing(client, run.id)
            _timing_tried.add(run.id)


def _task_states(dask_scheduler) -> dict[str, str]:
    tasks = dask_scheduler.tasks.items()
    return {key: task.state for key, task in tasks if isinstance(key, str) and key.startswith(("run-", "timing-"))}
