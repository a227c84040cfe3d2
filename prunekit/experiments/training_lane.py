"""How runs get to the training lane: the order they wait in, the lane that is hired for them, how they are stopped."""

import threading
import time
import uuid
from collections.abc import Iterable

from prunekit.experiments.folder import home
from prunekit.experiments.processes import TRAINING, EngineFolder
from prunekit.experiments.runs import Run, rank

HIRE_AGAIN_SECONDS = 5  # a training lane that dies at once is not started in a storm
LOOK_SECONDS = 1

_hired = _looked = float("-inf")


def task_key(run: Run) -> str:
    """The name of an attempt's task on the scheduler."""
    return f"run-{run.id}-{run.attempt}"


def timing_key(run_id: str) -> str:
    """How the names of a run's timing tasks begin."""
    return f"timing-{run_id}-"


def priority_of(run: Run) -> float:
    """The order of `queue_order` as Dask wants it, which takes the highest priority first."""
    return -1e9 * rank(run.role) - (run.created - 1.577e9) / 1e3


class TrainingLane:
    """The training lane as a client of the scheduler sees it; that of this Dask worker where none is given."""

    def __init__(self, client=None):
        from distributed import get_client

        self._client = client or get_client()

    def submit(self, runs: Iterable[Run]) -> None:
        """Queues the attempts that the runs are at."""
        from prunekit.experiments.worker import run_recipe

        for run in runs:
            self._train(run_recipe, run.id, run.attempt, key=task_key(run), priority=priority_of(run))

    def submit_timing(self, run_id: str) -> None:
        """Queues the measurement of a finished run behind everything that trains."""
        from prunekit.experiments.worker import time_run

        self._train(time_run, run_id, key=timing_key(run_id) + uuid.uuid4().hex, priority=-1e12)

    def cancel(self, runs: list[Run]) -> None:
        """Takes attempts that have not begun out of the queue."""
        from distributed import Future

        # As futures: Dask takes keys here too, and does nothing with them.
        self._client.cancel([Future(task_key(run), self._client) for run in runs], force=True)

    def stop(self, run_id: str) -> None:
        """Asks for a run to stop at its next batch."""
        from prunekit.experiments.worker import raise_flag

        if workers := self._workers():
            # Not waited for without end: a worker that hangs must not make the recorder hang.
            asked = {"args": (raise_flag, run_id), "kwargs": {"workers": workers}}
            call = threading.Thread(target=self._client.run, **asked, daemon=True)
            call.start()
            call.join(2)

    def tasks(self) -> dict[str, str]:
        """The tasks of runs and timings that the scheduler knows: key -> state."""
        return self._client.run_on_scheduler(task_states)

    def stay_awake(self) -> None:
        """Puts off the moment at which the engine ends by itself."""
        self._client.run_on_scheduler(stay_awake)

    def hire(self) -> None:
        """Starts a worker where there is none."""
        global _hired, _looked
        # Looking takes the scheduler's time, and a sweep hands over hundreds of runs at once.
        if time.monotonic() - _looked < LOOK_SECONDS:
            return
        _looked = time.monotonic()
        folder, address = EngineFolder(home()), self._client.scheduler.address
        if time.monotonic() - _hired > HIRE_AGAIN_SECONDS and not folder.lane_is_alive(TRAINING, address):
            _hired = time.monotonic()
            folder.start_lane(TRAINING, address)

    def _train(self, function, *args, key: str, priority: float) -> None:
        from distributed import fire_and_forget

        options = {"key": key, "resources": {"training": 1}, "priority": priority, "pure": False}
        fire_and_forget(self._client.submit(function, *args, **options))
        self.hire()

    def _workers(self) -> list[str]:
        workers = self._client.scheduler_info(n_workers=-1)["workers"]
        return [address for address, worker in workers.items() if worker["name"] == TRAINING.name]


def stay_awake(dask_scheduler) -> None:
    """On the scheduler: it has been idle since now."""
    dask_scheduler.idle_since = None


def task_states(dask_scheduler) -> dict[str, str]:
    """On the scheduler: what `TrainingLane.tasks` tells."""
    tasks = dask_scheduler.tasks.items()
    return {key: task.state for key, task in tasks if isinstance(key, str) and key.startswith(("run-", "timing-"))}
