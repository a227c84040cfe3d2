"""The Pareto front: what no other point beats in both metric and cost."""

import math
from collections.abc import Sequence


def front(costs: Sequence[float | None], metrics: Sequence[float | None]) -> list[int]:
    """The places of the points that nothing beats, cheapest first: the lower the cost and the higher the metric.

    A point is beaten by one that is no worse in both and better in one; of equal ones the first stays. Points with a
    missing value (None or NaN) are left out.
    """
    known = [
        (cost, -metric, place)
        for place, (cost, metric) in enumerate(zip(costs, metrics, strict=True))
        if cost is not None and metric is not None and not (math.isnan(cost) or math.isnan(metric))
    ]
    kept, best = [], math.inf
    for _cost, lost, place in sorted(known):
        if lost < best:
            kept.append(place)
            best = lost
    return kept
