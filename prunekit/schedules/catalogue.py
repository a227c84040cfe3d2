"""The catalogue of schedules: a new one is a function in rules.py and a line here."""

from collections.abc import Callable
from dataclasses import dataclass

from prunekit.core.errors import UnknownName
from prunekit.core.language import N_, _
from prunekit.schedules.rules import linear, one_shot


@dataclass(frozen=True)
class Schedule:
    """A schedule: its rule, and what people read of it."""

    name: str
    label: str
    help: str
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
    s.name: s
    for s in (
        Schedule("one-shot", N_("one-shot"), N_("Cuts once, then fine-tunes for all epochs."), one_shot),
        Schedule(
            "iterative", N_("iterative"), N_("Cuts the same amount in each round and fine-tunes after it."), linear
        ),
    )
}


def schedule(name: str) -> Schedule:
    """One schedule. Raises UnknownName with the names that would do."""
    if name not in SCHEDULES:
        raise UnknownName.of(_("schedule"), name, SCHEDULES)
    return SCHEDULES[name]
