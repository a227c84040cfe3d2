"""The schedules in words, in the order of menus: a new one is a line here and a function in `schedules/rules.py`."""

from dataclasses import dataclass

from prunekit.core.language import N_


@dataclass(frozen=True)
class ScheduleDescription:
    """A schedule in words. Its rule is the function of that name, with _ for -."""

    name: str
    label: str
    help: str


SCHEDULE_DESCRIPTIONS = (
    ScheduleDescription("one-shot", N_("one-shot"), N_("Cuts once, then fine-tunes for all epochs.")),
    ScheduleDescription(
        "iterative", N_("iterative"), N_("Cuts the same amount in each round and fine-tunes after it.")
    ),
)
