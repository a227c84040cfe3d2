"""A sweep together with its runs: how far it is as a whole, and what can be done with it."""

from dataclasses import dataclass

from prunekit.experiments.runs import ACTIVE, RESUMABLE, STUDY, Run, StoredSweep


@dataclass(frozen=True)
class SweepRuns:
    """A sweep's row, and its runs in the order of its plan."""

    sweep: StoredSweep
    runs: tuple[Run, ...]

    @property
    def model(self) -> str:
        return self.sweep.plan["base"]["model"]

    def count(self, *states: str) -> int:
        return sum(run.state in states for run in self.runs)

    @property
    def is_study(self) -> bool:
        """Whether it came with prunekit."""
        return any(run.role == STUDY for run in self.runs)

    @property
    def is_over(self) -> bool:
        return all(run.is_over for run in self.runs)

    @property
    def state(self) -> str:
        """One of "running", "waiting", "stopping", "stopped", "finished", "ended"; the last with failures."""
        if not self.is_over:
            if self.sweep.stopped and self.count("stopping"):
                return "stopping"
            return "running" if self.count(*ACTIVE) else "waiting"
        if self.count("stopped", "interrupted"):
            return "stopped"
        return "ended" if self.count("failed") else "finished"

    @property
    def can_resume(self) -> bool:
        return self.count(*RESUMABLE) > 0

    @property
    def can_stop(self) -> bool:
        # A run that is also somebody's own goes on when the sweep is stopped.
        return any(run.role == "sweep" and run.state in ("queued", "running") for run in self.runs)


def sweeps_with_runs(sweeps: list[tuple[StoredSweep, list[str]]], runs: list[Run]) -> list[SweepRuns]:
    """All sweeps with their runs, the newest first."""
    by_id = {run.id: run for run in runs}
    return [SweepRuns(sweep, tuple(by_id[i] for i in ids if i in by_id)) for sweep, ids in reversed(sweeps)]
