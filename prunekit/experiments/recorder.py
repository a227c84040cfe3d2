"""The recorder: the only process that writes the run store, and the one that gives runs to the training lane.

Its functions are tasks of the Dask worker that has the resource `recorder`. While it is away they wait on the
scheduler, so nothing that a training worker reports is lost.
"""

import contextlib
import dataclasses
import logging
import shutil
import threading
import time
import uuid
from collections.abc import Iterable
from pathlib import Path

from filelock import FileLock

from prunekit.core.errors import BadSetting, StoreUnavailable
from prunekit.core.language import _
from prunekit.core.recipe import Recipe
from prunekit.core.sweep import Sweep
from prunekit.experiments.folder import disk_full, free_bytes, home, refusal
from prunekit.experiments.histories import bring_in
from prunekit.experiments.processes import TRAINING, EngineFolder
from prunekit.experiments.store import ACTIVE, RESUMABLE, STUDY, WAITING, Run, Store, queue_order, rank

LOG = logging.getLogger(__name__)

HIRE_AGAIN_SECONDS = 5  # a training lane that dies at once is not started in a storm
LOCK_SECONDS = 25  # an older recorder that is about to end is waited for; less than the nanny's patience
WATCH_SECONDS = 3
LOOK_SECONDS = 1
FORGOTTEN_SECONDS = 60  # a finished run that nobody has begun to time by then was forgotten
ROOM_BYTES = 50 * 2**20  # less free disk than this, and no run is begun
CHECKPOINT = "checkpoint.npz"
MODEL_FILES = ("weights.safetensors", "plan.json")

_writing = threading.RLock()
_store: Store | None = None
_hired = _looked = float("-inf")
_unwritten: list[tuple] = []
_trouble: str | None = None  # why something could not be written, in one sentence
_untimed: dict[str, float] = {}  # since when a finished run is known to wait for its timing; inf when that was tried
_only: FileLock | None = None


def dask_setup(worker) -> None:
    """Called by Dask when the recorder starts: waits to be the only one, and begins to look after the runs."""
    global _only
    # Held for as long as this process lives, and freed by the system however it ends.
    _only = FileLock(EngineFolder(home()).path / "recorder.lock", timeout=LOCK_SECONDS, thread_local=False)
    _only.acquire()
    worker.metrics["prunekit"] = lambda _worker: {"trouble": _trouble}  # pages hear of it through the scheduler
    threading.Thread(target=_watch, args=(worker,), name="recorder-watch", daemon=True).start()


def store() -> Store:
    """The one writable store of this process."""
    global _store
    with _writing:
        if _store is not None and _store.is_gone():
            _store.close()  # before the new one is there: on closing, SQLite clears away files by their names
            _store = None
        if _store is None:
            opened = Store(home(), writable=True)
            bring_in(opened)
            _store = opened
        return _store


# -- what pages and the command line ask for ------------------------------------------------------------------


def enqueue(recipe: dict, role: str = "run", again: bool = False) -> dict:
    """Queues a run; a recipe that is already waiting, running or finished is shown, not run again."""
    asked = Recipe.from_plain(recipe)
    with _writing:
        known = None if again else store().same(asked.fingerprint)
        if known is not None:
            _promote(known, role)
            return {"id": known.id, "known": True, "state": known.state}
        _check_room()
        run_id = store().add(asked.to_plain(), asked.fingerprint, asked.title(), role)
        _submit(_client(), store().run(run_id))
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
    _cancel(_client(), [known])
    _submit(_client(), store().run(known.id))


def stop(run_id: str) -> None:
    """Stops a run: a queued one at once, a running one at its next batch."""
    with _writing:
        run = store().run(run_id)
        if run.state in WAITING:
            _cancel(_client(), [run])
            store().change(run_id, state="stopped", ended=time.time())
        elif run.state == "running":
            _flag(run_id)  # first: it stops even when that cannot be written down
            store().change(run_id, state="stopping")


def resume(run_id: str, afresh: bool = False) -> None:
    """Queues a run that was stopped, interrupted or failed again; it goes on from its last checkpoint.

    afresh: without the checkpoint, from the beginning. A run that is on its way already is left alone: a second press,
    or the same one, told twice.
    """
    with _writing:
        run = store().run(run_id)
        if not run.is_over:
            return
        if run.state not in RESUMABLE:
            raise BadSetting(_("Only a run that was stopped or interrupted can be resumed."))
        if afresh:
            (store().files(run_id) / CHECKPOINT).unlink(missing_ok=True)
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


# -- sweeps: the same for many runs at once --------------------------------------------------------------------


def start_sweep(plan: dict) -> dict:
    """Queues the runs of a sweep that nobody has run yet; {"id", "new", "known"}, the last two as numbers of runs.

    The same sweep once more is the one that is there, with whatever of it was deleted.
    """
    asked = Sweep.from_plain(plan)
    wanted = [(recipe.to_plain(), recipe.fingerprint, recipe.title()) for recipe in asked.recipes()]
    with _writing:
        _check_room()
        sweep_id, new, known = store().add_sweep(asked.to_plain(), asked.fingerprint, asked.name()[:200], wanted)
        if new:
            store().change_sweep(sweep_id, stopped=False)
            ids = set(new)
            _submit_all(run for run in store().runs_of(sweep_id) if run.id in ids)
    return {"id": sweep_id, "new": len(new), "known": len(known)}


def stop_sweep(sweep_id: str) -> None:
    """Stops what a sweep has queued and running; not people's own runs, nor those that another sweep waits for."""
    with _writing:
        store().sweep(sweep_id)
        store().change_sweep(sweep_id, stopped=True)
        mine = _only_of(sweep_id, [other.id for other in store().sweeps() if not other.stopped])
        waiting = [run for run in mine if run.state in WAITING]
        running = [run for run in mine if run.state == "running"]
        # First what is true, then what follows: a task that comes through in between is sent away by `begin`.
        store().change_many([run.id for run in waiting], state="stopped", ended=time.time())
        store().change_many([run.id for run in running], state="stopping")
        if waiting:
            _cancel(_client(), waiting)
        for run in running:
            _flag(run.id)


def resume_sweep(sweep_id: str) -> None:
    """Queues everything of a sweep again that was stopped, interrupted or failed."""
    with _writing:
        store().sweep(sweep_id)
        store().change_sweep(sweep_id, stopped=False)
        again = [run for run in store().runs_of(sweep_id) if run.state in RESUMABLE]
        store().change_many([run.id for run in again], again=True, state="queued", error=None, ended=None)
        _submit_all(dataclasses.replace(run, attempt=run.attempt + 1) for run in again)


def rename_sweep(sweep_id: str, title: str) -> None:
    """Gives a sweep another title."""
    title = title.strip()[:200]
    if not title:
        raise BadSetting(_("A sweep needs a name."))
    with _writing:
        store().sweep(sweep_id)
        store().change_sweep(sweep_id, title=title)


def delete_sweep(sweep_id: str, with_runs: bool = False) -> None:
    """Forgets a sweep that is over; `with_runs` deletes its runs too, but none that is anybody else's."""
    with _writing:
        store().sweep(sweep_id)
        mine = _only_of(sweep_id, [other.id for other in store().sweeps()])
        if not all(run.is_over for run in mine):
            raise BadSetting(_("This sweep is not over yet; stop it first."))
        gone = [run.id for run in mine] if with_runs else []
        store().delete_sweep(sweep_id, gone)
        for run_id in gone:
            shutil.rmtree(store().files(run_id), ignore_errors=True)


def _only_of(sweep_id: str, sweeps: list[str]) -> list[Run]:
    """The runs of a sweep that are nobody's own and in none of the other `sweeps`."""
    members = store().members()
    shared = {run_id for other in sweeps if other != sweep_id for run_id in members.get(other, ())}
    return [run for run in store().runs_of(sweep_id) if run.role == "sweep" and run.id not in shared]


# -- what training workers report -----------------------------------------------------------------------------


def begin(run_id: str, attempt: int, by: str = "", threads: int | None = None) -> dict:
    """Says whether a worker may start this attempt, from which checkpoint, and how the attempts before computed.

    by: a name of this call, the same when Dask repeats it because the recorder died; threads: what the worker would
    take. Dask hands the task of a worker that died to the next one. That is how the death is noticed: the attempt has
    begun before, by another. It is then reported, not repeated, and the next run gets the worker.
    """
    with _writing:
        run = store().run(run_id)
        begun = store().events(run_id, ("begun",))
        mine = bool(by) and any((e["attempt"], e["by"]) == (attempt, by) for e in begun)
        if run.attempt != attempt or not (run.state in WAITING or (mine and run.state in ACTIVE)):
            if run.attempt == attempt and run.state in ACTIVE:
                _interrupt(run, _("Its worker died in the middle of the run (killed, or out of memory)."))
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
    if path.is_file():
        with contextlib.suppress(OSError):
            return go | {"checkpoint": _bytes(path.read_bytes())}
        go["checkpoint"] = _bytes(b"")  # there is one, and it cannot be read: the worker will say so
    return go


def record(run_id: str, attempt: int, events: list[dict]) -> None:
    """Appends events of a run."""
    _write(_record, run_id, attempt, events)


def _record(run_id: str, attempt: int, events: list[dict]) -> None:
    store().add_events(run_id, attempt, events)


def keep(run_id: str, attempt: int, files: dict, events: list[dict] = ()) -> None:
    """Keeps files of a run (name -> bytes as uint8 array): whole or not at all, each; and before them `events`.

    A checkpoint comes with the event of its epoch: whatever is killed in between, no epoch is gone on from untold.
    """
    with _writing:
        if events:
            _write(_record, run_id, attempt, events)
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
    for name, content in files.items():
        temporary = folder / f".{Path(name).name}.tmp"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(content.tobytes())
            temporary.replace(folder / Path(name).name)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)  # half a file only takes the room that is missing
            raise StoreUnavailable(refusal(error, home())) from error


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
        except StoreUnavailable as error:
            _tell_trouble(error)
            _unwritten.append((function, args))
            return False
        return True


def _write_again() -> None:
    while _unwritten:
        function, args = _unwritten[0]
        try:
            function(*args)
        except StoreUnavailable:
            raise
        except Exception:  # of a run that was deleted meanwhile, say: it must not hold up the others for ever
            LOG.exception("what was kept for later has nowhere to go: %s of %s", function.__name__, args[0])
        _unwritten.pop(0)


def _tell_trouble(error: StoreUnavailable | None) -> None:
    """What pages show for as long as it lasts; into the log once."""
    global _trouble
    sentence = str(error) if error else None
    if sentence != _trouble:
        LOG.warning("%s", f"could not write, keeping it for later: {sentence}" if error else "writing again")
    _trouble = sentence


def model_files(run_id: str) -> dict:
    """The files of a run's pruned model, as uint8 arrays."""
    folder = store().files(run_id)
    return {name: _bytes((folder / name).read_bytes()) for name in MODEL_FILES if (folder / name).is_file()}


def timed(run_id: str, measured: dict) -> None:
    """Adds what was measured on the drained lane to a run's result."""
    _write(_timed, run_id, measured)


def _timed(run_id: str, measured: dict) -> None:
    run = store().run(run_id)
    store().change(run_id, result=(run.result or {}) | measured)


# -- giving runs to the training lane -------------------------------------------------------------------------


def task_key(run: Run) -> str:
    """The name of an attempt's task on the scheduler."""
    return f"run-{run.id}-{run.attempt}"


def priority_of(run: Run) -> float:
    """The order of `queue_order` as Dask wants it, which takes the highest priority first."""
    return -1e9 * rank(run.role) - (run.created - 1.577e9) / 1e3


def _client():
    from distributed import get_client

    return get_client()


def _bytes(content: bytes):
    import numpy as np

    return np.frombuffer(content, dtype=np.uint8)


def _submit(client, run: Run) -> None:
    from prunekit.experiments.worker import run_recipe

    _train(client, run_recipe, run.id, run.attempt, key=task_key(run), priority=priority_of(run))


def _cancel(client, runs: list[Run]) -> None:
    from distributed import Future

    # As futures: Dask takes keys here too, and does nothing with them.
    client.cancel([Future(task_key(run), client) for run in runs], force=True)


def _submit_all(runs: Iterable[Run]) -> None:
    client = _client()
    for run in runs:
        _submit(client, run)


def _submit_timing(client, run_id: str) -> None:
    from prunekit.experiments.worker import time_run

    # Behind everything that trains: timing waits until the lane is drained.
    _train(client, time_run, run_id, key=f"timing-{run_id}-{uuid.uuid4().hex}", priority=-1e12)


def _train(client, function, *args, key: str, priority: float) -> None:
    from distributed import fire_and_forget

    fire_and_forget(client.submit(function, *args, key=key, resources={"training": 1}, priority=priority, pure=False))
    _hire_training(client)


def _hire_training(client) -> None:
    global _hired, _looked
    # Looking takes the scheduler's time, and a sweep hands over hundreds of runs at once.
    if time.monotonic() - _looked < LOOK_SECONDS:
        return
    _looked = time.monotonic()
    folder, address = EngineFolder(home()), client.scheduler.address
    if time.monotonic() - _hired > HIRE_AGAIN_SECONDS and not folder.lane_is_alive(TRAINING, address):
        _hired = time.monotonic()
        folder.start_lane(TRAINING, address)


def _training_workers(client) -> list[str]:
    workers = client.scheduler_info(n_workers=-1)["workers"]
    return [address for address, worker in workers.items() if worker["name"] == TRAINING.name]


def _flag(run_id: str, client=None) -> None:
    from prunekit.experiments.worker import raise_flag

    client = client or _client()
    if lane := _training_workers(client):
        # Not waited for without end: a worker that hangs must not make the recorder hang.
        call = threading.Thread(target=client.run, args=(raise_flag, run_id), kwargs={"workers": lane}, daemon=True)
        call.start()
        call.join(2)


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
                _look_after(client)
            except Exception:
                LOG.exception("could not look after the runs; trying again")
            time.sleep(WATCH_SECONDS)


def _look_after(client) -> None:
    try:
        with _writing:
            _write_again()
            _reconcile(client)
            _tell_trouble(None)
    except StoreUnavailable as error:
        _tell_trouble(error)


def _reconcile(client) -> None:
    """Runs that the scheduler does not know were cut off with an older engine; those that wait need a worker.

    A run that has begun, and whose task waits for a worker again, has lost its own.
    """
    open_runs = sorted((r for r in store().runs() if not r.is_over), key=queue_order)
    tasks = client.run_on_scheduler(_task_states) if open_runs else {}
    lost = [run for run in open_runs if tasks.get(task_key(run)) in (None, "erred", "forgotten")]
    for run in open_runs:
        if run.state in ACTIVE and run in lost:
            _interrupt(run, _("The engine went away in the middle of the run."))
        elif run.state in ACTIVE and tasks[task_key(run)] in ("no-worker", "queued", "waiting", "released"):
            _interrupt(run, _("Its worker died in the middle of the run (killed, or out of memory)."))
            _cancel(client, [run])
        elif run.state == "stopping":
            _flag(run.id, client)  # in case the recorder died before it was told, or the worker has not heard
    if waiting := [run for run in lost if run.state in WAITING]:
        LOG.info("queueing again: %s", ", ".join(run.id for run in waiting))
        store().change_many([run.id for run in waiting], again=True)
        for run in waiting:
            _submit(client, dataclasses.replace(run, attempt=run.attempt + 1))
    if any(not run.is_over for run in open_runs):
        _hire_training(client)
    _time_forgotten(client)


def _time_forgotten(client) -> None:
    """Runs that finished when they could not be timed (a full disk, an engine that died) are timed now, tried once."""
    now = time.monotonic()
    for run in store().runs():
        if run.state != "finished" or run.role == STUDY or not run.result or run.result.get("speedup") is not None:
            _untimed.pop(run.id, None)
        elif now - _untimed.setdefault(run.id, now) > FORGOTTEN_SECONDS:
            if not any(key.startswith(f"timing-{run.id}-") for key in client.run_on_scheduler(_task_states)):
                _submit_timing(client, run.id)
            _untimed[run.id] = float("inf")


def _task_states(dask_scheduler) -> dict[str, str]:
    tasks = dask_scheduler.tasks.items()
    return {key: task.state for key, task in tasks if isinstance(key, str) and key.startswith(("run-", "timing-"))}
