"""For tests of the recorder's own rules: it works in this process, and its training lane runs nothing."""

from prunekit.experiments import recorder, worker
from prunekit.experiments.training_lane import TrainingLane, priority_of, task_key
from prunekit.experiments.writer import Writer


class IdleLane(TrainingLane):
    """Takes what the recorder hands over: the keys of tasks with their priorities, and the runs that are to stop."""

    def __init__(self):
        self.waiting: dict[str, float] = {}
        self.timings: list[str] = []
        self.stopped: list[str] = []
        self.states: dict[str, str] = {}  # of tasks that are not simply on their way
        self.hired = self.kept_awake = 0

    @property
    def order(self) -> list[str]:
        """The tasks in the order in which Dask would run them."""
        return sorted(self.waiting, key=self.waiting.get, reverse=True)

    def submit(self, runs) -> None:
        self.waiting |= {task_key(run): priority_of(run) for run in runs}

    def submit_timing(self, run_id: str) -> None:
        self.timings.append(run_id)

    def cancel(self, runs) -> None:
        for run in runs:
            self.waiting.pop(task_key(run), None)

    def stop(self, run_id: str) -> None:
        self.stopped.append(run_id)

    def tasks(self) -> dict[str, str]:
        return dict.fromkeys(self.waiting, "processing") | self.states

    def stay_awake(self) -> None:
        self.kept_awake += 1

    def hire(self) -> None:
        self.hired += 1


def recorder_alone(monkeypatch) -> IdleLane:
    """A recorder that has just started, and the lane that it will hand its runs to."""
    lane = IdleLane()
    monkeypatch.setattr(recorder, "writer", Writer())
    monkeypatch.setattr(recorder, "lane", lambda: lane)
    return lane


def told_at_once(monkeypatch) -> None:
    """What a worker tells its recorder is done in this process, at once."""
    monkeypatch.setattr(worker, "tell", lambda name, *args, wait=False: getattr(recorder, name)(*args))
