"""How much by when: pure functions of progress."""

from prunekit.schedules.catalogue import SCHEDULES, Schedule, schedule
from prunekit.schedules.epochs import epochs_of_round

__all__ = ["SCHEDULES", "Schedule", "epochs_of_round", "schedule"]
