"""The catalogue of schedules: the rules, under the names and with the words that `core/schedules.py` gives them."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from prunekit.core.errors import UnknownName
from prunekit.core.language import _
from prunekit.core.schedules import SCHEDULE_DESCRIPTIONS, ScheduleDescription
from prunekit.schedules import rules


@dataclass(frozen=True)
class Schedule(ScheduleDescription):
    """A schedule: what people read of it, and its rule."""

    rule: Callable[[float], float]

    def shares(self, rounds: int) -> list[float]:
        """The share of the target, in (0, 1], reached after each round; 1 after the last.

        A rule that arrives earlier needs fewer rounds: one-shot gives [1.0] for any number of them.
        """
        shares = []
        for done in range(1, rounds + 1):
            shares.append(self.rule(done / rounds))
            if shares[-1] >= 1:
                break
        return shares


SCHEDULES = {
    d.name: Schedule(**dataclasses.asdict(d), rule=getattr(rules, d.name.replace("-", "_")))
    for d in SCHEDULE_DESCRIPTIONS
}


def schedule(name: str) -> Schedule:
    """One schedule. Raises UnknownName with the names that would do."""
    if name not in SCHEDULES:
        raise UnknownName.of(_("schedule"), name, SCHEDULES)
    return SCHEDULES[name]
