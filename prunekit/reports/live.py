"""The curves of a run that is under way, as plain ECharts options: light enough to be redrawn every second."""

import math

from prunekit.core.language import _
from prunekit.core.tasks import Task
from prunekit.reports.colours import COLOURS
from prunekit.reports.progress import Curves

MARKED = {"showSymbol": True, "symbolSize": 5}


def live_loss(curves: Curves, epochs: int) -> dict:
    """ECharts options of the training loss over the epochs."""
    series = [
        (_("batch"), curves.loss, COLOURS[1], {"lineStyle": {"width": 1, "opacity": 0.45}}),
        (_("epoch mean"), curves.epoch_loss, COLOURS[1], MARKED),
    ]
    return _live(_("Loss"), epochs, series)


def live_metric(curves: Curves, epochs: int, task: Task) -> dict:
    """ECharts options of the metric on training and validation examples over the epochs."""
    series = [
        (_("train"), curves.train, COLOURS[2], MARKED),
        (_("validation"), curves.validation, COLOURS[0], MARKED),
    ]
    values = [value for _x, value in [*curves.train, *curves.validation]]
    # From the ten below the lowest value up to 100 %: ticks at both ends and in the middle.
    low = min(max(math.floor(10 * min(values, default=0.0)) * 10, 0), 90)
    limits = {"min": low, "max": 100, "interval": (100 - low) / 2} if task.percent else None
    return _live(_(task.metric_label), epochs, series, task.percent, limits)


def live_sparsity(curves: Curves, epochs: int) -> dict:
    """ECharts options of the sparsity over the epochs: a staircase, one step a cut."""
    points = [(0.0, 0.0), *curves.sparsity] if curves.sparsity else []
    series = [(_("sparsity"), points, COLOURS[4], {"areaStyle": {"opacity": 0.15}})]
    return _live(_("Sparsity"), epochs, series, percent=True, limits={"min": 0, "max": 100, "interval": 50})


def _live(title: str, epochs: int, series: list, percent: bool = False, limits: dict | None = None) -> dict:
    """A small chart that is redrawn every second: no animation, a value axis that starts where the data does."""
    small = {"axisLabel": {"fontSize": 10, "hideOverlap": True}, "axisTick": {"show": False}}
    under = {"name": _("epoch"), "nameLocation": "middle", "nameGap": 20, "nameTextStyle": {"fontSize": 10}}
    y = small | {"type": "value"} | (limits or {"scale": True, "splitNumber": 3})
    if percent:
        y["axisLabel"] = small["axisLabel"] | {"formatter": "{value} %"}
    return {
        "animation": False,
        "title": {
            "text": title,
            "left": 0,
            "top": 2,
            "textStyle": {"fontSize": 12, "lineHeight": 18, "fontWeight": 600},
        },
        "legend": {"right": 0, "top": 0, "itemWidth": 12, "itemHeight": 8, "textStyle": {"fontSize": 10}}
        | {"show": len(series) > 1},
        "grid": {"left": 4, "right": 10, "top": 28, "bottom": 16, "containLabel": True},
        "tooltip": {"trigger": "axis", "valueFormatter": "%.1f %%" if percent else "%.3f"},
        "xAxis": small | under | {"type": "value", "min": 0, "max": max(epochs, 1), "minInterval": 1},
        "yAxis": y,
        "series": [
            {
                "type": "line",
                "name": name,
                "data": [[round(x, 4), round(value * (100 if percent else 1), 4)] for x, value in points],
                "showSymbol": False,
                "lineStyle": {"width": 2},
                "color": colour,
            }
            | more
            for name, points, colour, more in series
        ],
    }
