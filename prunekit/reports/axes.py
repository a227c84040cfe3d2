"""What the metric of runs can be drawn against: sparsity, parameters, MACs, bytes, measured latency, wall time."""

from dataclasses import dataclass

from prunekit.core.language import N_


@dataclass(frozen=True)
class Axis:
    """What the metric is drawn against.

    after: the column of the pruned model; before: that of the untouched model, or its value, or None where it has
    none; format, suffix: of the ticks, as d3 and plotly know them; more_is_better: whether more of it costs less;
    follows_amount: whether it grows or falls with the amount that is cut, so that a line through the points says much.
    """

    name: str
    label: str
    title: str
    after: str
    before: str | float | None
    format: str
    suffix: str = ""
    more_is_better: bool = False
    follows_amount: bool = True
    low: str = ""  # the columns of the ends of its spread, where it is measured
    high: str = ""


AXES = {
    axis.name: axis
    for axis in (
        Axis(
            "sparsity",
            N_("Sparsity"),
            N_("Sparsity: pruned over prunable units"),
            "sparsity_actual",
            0.0,
            ".0%",
            more_is_better=True,
        ),
        Axis("parameters", N_("Parameters"), N_("Non-zero parameters"), "nonzero_after", "nonzero_before", "~s"),
        Axis("macs", N_("MACs"), N_("MACs for one input"), "macs_after", "macs_before", "~s"),
        Axis("bytes", N_("Size"), N_("Size of the saved file"), "bytes_after", "bytes_before", "~s", "B"),
        Axis(
            "latency",
            N_("Measured latency"),
            # Milliseconds of different moments do not compare: each run is told relative to its own measurement.
            N_("Measured time of a batch of {batch}, relative to the untouched model beside it"),
            "relative_time",
            "untouched_time",
            ".0%",
            low="relative_time_low",
            high="relative_time_high",
        ),
        Axis(
            "time",
            N_("Wall time"),
            N_("Time that the run took, in {unit}"),
            "wall_seconds",
            None,
            "~g",
            follows_amount=False,
        ),
    )
}

# From so many seconds on, how long a unit is, and its name.
TIMES = ((3 * 3600, 3600, N_("hours")), (180, 60, N_("minutes")), (0, 1, N_("seconds")))


def unit_of_time(longest: float) -> tuple[int, str]:
    """The unit in which the longest of some times (in seconds) reads well: its length in seconds, and its name."""
    return next((length, name) for start, length, name in TIMES if longest >= start)
