"""What puts right that something died: the recorder looks after the runs for as long as it lives."""

import dataclasses
import logging
import time

from prunekit.core.errors import StoreUnavailable
from prunekit.core.language import _
from prunekit.experiments.folder import home
from prunekit.experiments.processes import EngineFolder
from prunekit.experiments.runs import ACTIVE, STUDY, WAITING, queue_order
from prunekit.experiments.training_lane import TrainingLane, task_key, timing_key
from prunekit.experiments.writer import Writer

LOG = logging.getLogger(__name__)

WATCH_SECONDS = 3
FORGOTTEN_SECONDS = 60  # a finished run that nobody has begun to time by then was forgotten


class Upkeep:
    """Looks after the runs in the ledger of a writer."""

    def __init__(self, writer: Writer):
        self._writer = writer
        self._untimed: dict[str, float] = {}  # since when a finished run waits for its timing; inf when that was tried

    def watch(self, worker) -> None:
        """Looks from time to time, while this Dask worker, the recorder, lives."""
        from distributed import Client

        while worker.status.name in ("init", "undefined"):
            time.sleep(0.05)
        while worker.status.name in ("running", "paused"):
            try:
                security = EngineFolder(home()).security()
                with Client(worker.scheduler.address, security=security, set_as_default=False) as client:
                    while worker.status.name in ("running", "paused"):
                        self.look_after(TrainingLane(client))
                        time.sleep(WATCH_SECONDS)
            except Exception:
                LOG.exception("could not look after the runs; trying again")
                time.sleep(WATCH_SECONDS)

    def look_after(self, lane: TrainingLane) -> None:
        """Writes what waits, and puts right what is wrong now."""
        try:
            with self._writer.lock:
                self._writer.write_again()
                self._reconcile(lane)
                self._time_forgotten(lane)
                self._writer.tell(None)
        except StoreUnavailable as error:
            self._writer.tell(error)
        if self._writer.waits:
            lane.stay_awake()  # an engine that ended for want of work would lose it

    def _reconcile(self, lane: TrainingLane) -> None:
        """Runs that the scheduler does not know were cut off with an older engine; those that wait need a worker.

        A run that has begun, and whose task waits for a worker again, has lost its own.
        """
        ledger = self._writer.ledger()
        open_runs = sorted((r for r in ledger.runs() if not r.is_over), key=queue_order)
        tasks = lane.tasks()
        if not open_runs:
            if "no-worker" in tasks.values():  # a timing
                lane.hire()
            return
        lost = [run for run in open_runs if tasks.get(task_key(run)) in (None, "erred", "forgotten")]
        for run in open_runs:
            if run.state in ACTIVE and run in lost:
                ledger.interrupt(run.id, _("The engine went away in the middle of the run."))
            elif run.state in ACTIVE and tasks[task_key(run)] in ("no-worker", "queued", "waiting", "released"):
                ledger.interrupt(run.id, worker_died())
                lane.cancel([run])
            elif run.state == "stopping":
                lane.stop(run.id)  # in case the recorder died before it was told, or the worker has not heard
        if waiting := [run for run in lost if run.state in WAITING]:
            LOG.info("queueing again: %s", ", ".join(run.id for run in waiting))
            ledger.change_many([run.id for run in waiting], again=True)
            lane.submit(dataclasses.replace(run, attempt=run.attempt + 1) for run in waiting)
        lane.hire()

    def _time_forgotten(self, lane: TrainingLane) -> None:
        """Runs that finished when they could not be timed (a full disk, an engine that died) are timed now, once."""
        now = time.monotonic()
        for run in self._writer.ledger().runs():
            if run.state != "finished" or run.role == STUDY or not run.result or run.result.get("speedup") is not None:
                self._untimed.pop(run.id, None)
            elif now - self._untimed.setdefault(run.id, now) > FORGOTTEN_SECONDS:
                if not any(key.startswith(timing_key(run.id)) for key in lane.tasks()):
                    lane.submit_timing(run.id)
                self._untimed[run.id] = float("inf")


def worker_died() -> str:
    """Why a run was interrupted whose worker is gone."""
    return _("Its worker died in the middle of the run (killed, or out of memory).")
