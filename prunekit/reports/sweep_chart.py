"""How a sweep stands, as plain ECharts options: the metric of each criterion over the amounts, while it fills."""

import math

from prunekit.core.cuts import GRANULARITIES, TARGETS
from prunekit.core.language import _
from prunekit.core.tasks import Task
from prunekit.reports.colours import MUTED, colour_of, shape_of
from prunekit.reports.sweep_table import Line

# By `colours.shape_of`.
SYMBOLS = {
    "channel": ("circle", "diamond", "triangle"),
    "weight": ("rect", "diamond", "triangle"),
    "kernel": ("roundRect", "diamond", "triangle"),
    "row": ("arrow", "diamond", "triangle"),
    "tile": ("pin", "diamond", "triangle"),
}


def sweep_chart(lines: list[Line], amounts: list[float], task: Task) -> dict:
    """ECharts options: means over the seeds on validation data with bars of one standard deviation either way.

    A line a criterion and granularity, dashed where zeros stay in place; the untouched model is dotted, the random
    control grey. amounts: all that the sweep will come to, so that the axis stays where it is while the chart fills.
    """
    scale = 100 if task.percent else 1
    grains = list(dict.fromkeys(line.granularity for line in lines))
    series = []
    for name in dict.fromkeys((line.criterion, line.granularity) for line in lines):
        own = [line for line in lines if (line.criterion, line.granularity) == name]
        control, grain = own[0].scorer == "random", own[0].granularity
        colour, shape = (MUTED, 0) if control else (colour_of(own[0].scorer), shape_of(own[0].scorer))
        label = f"{name[0]} · {_(GRANULARITIES[name[1]])}" if len(grains) > 1 else name[0]
        series.append(
            {
                "type": "line",
                "name": label,
                "data": [[round(100 * line.amount, 4), round(scale * line.validation, 4)] for line in own],
                "symbol": SYMBOLS[grain][shape],
                "symbolSize": 8,
                "showSymbol": True,
                "lineStyle": {"width": 2, "type": "solid" if grain == "channel" else "dashed"},
                "color": colour,
            }
        )
        series += _bars(own, label, colour, scale)
    if lines and series:
        dotted = {"color": MUTED, "type": "dotted", "width": 1.5}
        series[0]["markLine"] = {
            "silent": True,
            "symbol": "none",
            "lineStyle": dotted,
            "label": {"show": True, "position": "insideStartTop", "formatter": _("untouched"), "fontSize": 10},
            "data": [{"yAxis": round(scale * lines[0].validation_baseline, 4)}],
        }
    small = {"axisLabel": {"fontSize": 10, "hideOverlap": True}, "axisTick": {"show": False}}
    low, high = 100 * min(amounts, default=0), 100 * max(amounts, default=1)
    margin = max(0.08 * (high - low), 1.0)
    limits = {"min": max(round(low - margin), 0), "max": min(round(high + margin), 100)}
    ends = {"showMinLabel": limits["min"] == 0, "showMaxLabel": limits["max"] == 100}
    under = _("{what} pruned").format(what=_(TARGETS[lines[0].target if lines else "sparsity"]))
    return {
        "animation": False,
        "legend": {
            "type": "scroll",
            "left": 0,
            "top": 6,
            "itemWidth": 14,
            "itemHeight": 8,
            "textStyle": {"fontSize": 11},
        },
        "grid": {"left": 4, "right": 14, "top": 34, "bottom": 18, "containLabel": True},
        "tooltip": {"trigger": "item", "valueFormatter": "%.1f %%" if task.percent else "%.3f"},
        "xAxis": small
        | {"type": "value", "name": under, "nameLocation": "middle", "nameGap": 22, "nameTextStyle": {"fontSize": 10}}
        | {"axisLabel": small["axisLabel"] | ends | {"formatter": "{value} %"}}
        | limits,
        "yAxis": small
        | {"type": "value", "splitNumber": 4}
        | (_range(lines) if task.percent else {"scale": True})
        | ({"axisLabel": small["axisLabel"] | {"formatter": "{value} %"}} if task.percent else {}),
        "series": series,
    }


def _bars(lines: list[Line], label: str, colour: str, scale: float) -> list[dict]:
    """The spread over the seeds as upright strokes: one broken line of the same name, so that the legend has both."""
    data = []
    for line in lines:
        if line.validation_spread is not None:
            low, high = line.validation - line.validation_spread, line.validation + line.validation_spread
            # ECharts breaks a line at "-".
            data += [[round(100 * line.amount, 4), round(scale * end, 4)] for end in (low, high)] + [["-", "-"]]
    if not data:
        return []
    silent = {"silent": True, "tooltip": {"show": False}, "showSymbol": False, "lineStyle": {"width": 1.5}}
    return [{"type": "line", "name": label, "data": data, "color": colour} | silent]


def _range(lines: list[Line]) -> dict:
    """From a ten below everything that is drawn to a five above it, at most 100 %."""
    drawn = [line.validation_baseline for line in lines]
    for line in lines:
        spread = line.validation_spread or 0
        drawn += [line.validation - spread, line.validation + spread]
    low = max(math.floor(10 * min(drawn, default=0.0)) * 10, 0)
    return {"min": low, "max": max(min(math.ceil(20 * max(drawn, default=1.0)) * 5, 100), low + 5)}
