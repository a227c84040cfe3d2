"""Which criterion is best at the same amount, and whether the others differ from it by more than their noise."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prunekit.reports.points import Point

LEVEL = 0.05  # a difference this unlikely, were there none, is more than noise


@dataclass(frozen=True)
class Comparison:
    """Recipes that differ in the criterion only: the best one, those within noise of it, and those behind it.

    Each is a Point over its seeds. `best` has several where their means are the same, by the names of the criteria;
    `near` and `behind` are in falling order of their means.
    """

    best: tuple[Point, ...]
    near: tuple[Point, ...]
    behind: tuple[Point, ...]

    @property
    def about(self) -> dict:
        """What the recipes are, but for the criterion."""
        return self.best[0].about


def comparisons(points: list[Point]) -> list[Comparison]:
    """One comparison for each setting in which at least two criteria ran, in the order of the points."""
    alike: dict[str, list[Point]] = {}
    for point in points:
        alike.setdefault(point.about["setting_key"], []).append(point)
    return [_comparison(group) for group in alike.values() if len(group) > 1]


def _comparison(group: list[Point]) -> Comparison:
    highest = max(point.y for point in group)
    # Different fractions of the same sum may have means that differ in their last bit.
    best = [point for point in group if math.isclose(point.y, highest)]
    others = sorted((point for point in group if point not in best), key=lambda point: -point.y)
    is_behind = [all(differ(one, point) for one in best) for point in others]
    return Comparison(
        tuple(sorted(best, key=lambda point: point.about["criterion"])),
        near=tuple(point for point, behind in zip(others, is_behind, strict=True) if not behind),
        behind=tuple(point for point, behind in zip(others, is_behind, strict=True) if behind),
    )


def differ(one: Point, other: Point) -> bool:
    """Whether two recipes differ by more than their noise.

    With two seeds or more of both, and seeds that differ: Welch's t-test over them, at 95 %. Otherwise (also without
    fine-tuning, where a seed may change nothing) whether the 95 % intervals of their examples are apart; without
    intervals nothing can be said, and they do not.
    """
    if one.spread and other.spread:
        return welch_p(one.values, other.values) < LEVEL
    if None in (one.low, one.high, other.low, other.high):
        return False
    return one.high < other.low or other.high < one.low


def welch_p(one: Sequence[float], other: Sequence[float]) -> float:
    """The two-sided p-value of Welch's t-test (Welch, 1947), for at least two values each that are not all equal."""
    errors = [statistics.variance(values) / len(values) for values in (one, other)]
    gap = abs(statistics.fmean(one) - statistics.fmean(other))
    # Degrees of freedom after Welch and Satterthwaite: between the smaller sample less one and both less two.
    parts = sum(error**2 / (len(values) - 1) for error, values in zip(errors, (one, other), strict=True))
    return two_sided_p(gap / math.sqrt(sum(errors)), sum(errors) ** 2 / parts)


def two_sided_p(t: float, freedom: float) -> float:
    """How likely Student's t with `freedom` >= 1 degrees of freedom is to be at least as far from zero as `t`.

    With t = sqrt(freedom) tan(angle) the density is cos(angle) ** (freedom - 1), on a bounded interval: a sum will do.
    """

    def area(low: float, high: float, steps: int = 2000) -> float:
        middles = low + (np.arange(steps) + 0.5) * (high - low) / steps
        return float(np.mean(np.cos(middles) ** (freedom - 1))) * (high - low)

    start = math.atan(abs(t) / math.sqrt(freedom))
    return area(start, math.pi / 2) / area(0.0, math.pi / 2)
