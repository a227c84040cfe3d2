"""Runs and sweeps as plain values: what the store holds of each, the states they go through, who waits for whom."""

from dataclasses import dataclass

# queued -> running -> finished | stopped | failed | interrupted; an interrupted or stopped run can be resumed.
WAITING = ("queued",)
ACTIVE = ("running", "stopping")
ENDED = ("finished", "stopped", "failed", "interrupted")
RESUMABLE = ("stopped", "interrupted", "failed")
# Who waits for whom: people's own runs, the random controls that ride along, the runs of sweeps.
ROLES = ("run", "control", "sweep")
# A run's files in the store's folder: while it is not over, and when it is finished.
CHECKPOINT = "checkpoint.npz"
PLAN = "plan.json"
MODEL_FILES = ("weights.safetensors", PLAN)
STUDY = "study"  # the role of finished runs that came with prunekit


@dataclass(frozen=True)
class Run:
    """One row of the store. Times are seconds since 1970; `result` holds the figures once there are any."""

    id: str
    fingerprint: str
    title: str
    recipe: dict
    role: str  # one of ROLES: "run", "control" for the random baseline that rides along, "sweep"; or "study"
    state: str
    created: float
    started: float | None
    ended: float | None
    attempt: int
    error: str | None
    result: dict | None

    @property
    def is_over(self) -> bool:
        return self.state in ENDED


@dataclass(frozen=True)
class StoredSweep:
    """A sweep's row: its plan as `Sweep.to_plain` gives it; `stopped` says that it was stopped as a whole."""

    id: str
    fingerprint: str
    title: str
    plan: dict
    created: float
    stopped: bool


def stands(run) -> bool:
    """Whether a run (or its row) stands for its recipe, which then need not be run again.

    It waits, runs or is finished; not one that is being stopped. One of a study does not count either: its model is
    not here, and it was timed nowhere.
    """
    return run.role != STUDY and run.state in (*WAITING, "running", "finished")


def queue_order(run: Run) -> tuple:
    """People's own runs go before the controls, and those before sweeps; otherwise first come, first served."""
    return rank(run.role), run.created, run.id


def rank(role: str) -> int:
    """0 for the runs that go first."""
    return ROLES.index(role) if role in ROLES else len(ROLES)
