"""The marks of one model's runs in the trade-off chart: runs, means, lines, the front, the untouched model."""

import itertools

import pandas as pd

from prunekit.core.amounts import metric_text, spread_text
from prunekit.core.language import _
from prunekit.core.tasks import Task
from prunekit.reports.axes import Axis
from prunekit.reports.colours import MUTED, colour_of, shape_of
from prunekit.reports.pareto import front
from prunekit.reports.points import Point, recipe_points
from prunekit.reports.recipes import criterion, share

FADED = 0.2  # runs that are not chosen, where some are
# By `colours.shape_of`.
SYMBOLS = {
    "channel": ("circle", "diamond", "triangle-up"),
    "weight": ("square", "cross", "hexagram"),
    "kernel": ("pentagon", "octagon", "star-square"),
    "row": ("triangle-right", "triangle-left", "bowtie"),
    "tile": ("diamond-wide", "diamond-tall", "hourglass"),
}
SILENT = {"hovertemplate": None, "hoverinfo": "skip"}  # neither told of nor clicked
COVERED = 0.03  # of an axis: about the radius of a mean's sign
LINED_UP = 3  # so many recipes that differ in the amount only are connected, whether they have several seeds or not


def marks(runs: pd.DataFrame, along: Axis, split: str, task: Task, chosen: frozenset) -> list[dict]:
    """Plotly traces, lowest first, each with its `name`; which of those with one name the legend shows is not said.

    runs: rows of `run_table` with the metric and the cost, all of one model on the same data; split: one of SPLITS;
    chosen: ids of the runs to set off from the others; empty: none.
    """
    points = recipe_points(runs, split, along.after)
    dense = untouched(runs, along, split)
    drawn = ([_star(*dense)] if dense else []) + _front(runs, along, split)
    covered = _covered(runs, points, along, split)
    for name, group in _groups(points):
        drawn += _of_group(runs, group, name, along, split, task, chosen, covered)
    return drawn


def _groups(points: list[Point]) -> list[tuple[str, list[Point]]]:
    """One entry of the legend each: a criterion at a grain; controls last."""
    groups: dict[str, list[Point]] = {}
    for point in points:
        about = point.about
        label = _("Random control") if about["is_control"] else criterion(about["scorer"])
        groups.setdefault(_named(label, about["granularity"]), []).append(point)
    return sorted(groups.items(), key=lambda named: (bool(named[1][0].about["is_control"]), named[0]))


def _of_group(
    drawn: pd.DataFrame,
    group: list[Point],
    name: str,
    along: Axis,
    split: str,
    task: Task,
    chosen: frozenset,
    covered: frozenset,
) -> list[dict]:
    """The traces of one entry of the legend: connecting lines, single runs, means; lowest first."""
    about = group[0].about
    colour = MUTED if about["is_control"] else colour_of(about["scorer"])
    symbol = SYMBOLS[about["grain"]][0 if about["is_control"] else shape_of(about["scorer"])]
    marker = {"color": colour, "symbol": symbol + ("-open" if about["is_control"] else ""), "size": 11}
    marker["line"] = {"width": 2 if about["is_control"] else 0, "color": colour}
    told = "%{customdata}" + (_("<br>Test: {value}").format(value="%{y}") if split == "test" else "")
    shared = {"type": "scatter", "mode": "markers", "legendgroup": name, "name": name}
    shared["hovertemplate"] = told + "<extra></extra>"
    # What a click does in the browser, before the server hears of it and after.
    shared |= {"selected": {"marker": {"size": 18, "opacity": 1}}, "unselected": {"marker": {"opacity": 0.35}}}
    bars = {"type": "data", "color": colour, "thickness": 1, "width": 4}
    means = [point for point in group if len(point.values) > 1]
    averaged = {run for point in means for run in point.runs}
    keys = {point.about["recipe_key"] for point in group}
    rows = drawn[drawn["recipe_key"].isin(keys)]
    kind = rows["id"].map(lambda run: "covered" if run in covered else "seed" if run in averaged else "single")
    here = rows["id"].isin(chosen) if chosen else pd.Series(True, index=rows.index)
    pale = {"marker": marker | {"size": 6, "opacity": 0.45}}
    looks = {"covered": shared | pale | SILENT, "seed": shared | pale, "single": shared | {"marker": marker}}
    traces = [shared | _connecting(group, colour, bool(chosen))] if along.follows_amount else []
    for (which, look), set_off in itertools.product(looks.items(), (True, False)):
        some = rows[(kind == which) & (here == set_off)]
        y = some[f"{split}_finetuned"].astype(float)
        if which == "single":
            over, under = some[f"{split}_high"].astype(float) - y, y - some[f"{split}_low"].astype(float)
            look = look | {"error_y": bars | {"array": list(over), "arrayminus": list(under)}}
            if along.low:
                x = some[along.after].astype(float)
                over, under = some[along.high].astype(float) - x, x - some[along.low].astype(float)
                look |= {"error_x": bars | {"array": list(over), "arrayminus": list(under)}}
        told = {"customdata": list(some["hover"]), "ids": list(some["id"])}
        traces.append(look | told | _at(some[along.after], y, set_off))
    for set_off in (True, False):
        some = [point for point in means if (not chosen or not chosen.isdisjoint(point.runs)) == set_off]
        spread = bars | {"array": [point.spread for point in some], "thickness": 2, "width": 6}
        told = {"customdata": [_mean_told(point, task) for point in some], "ids": [" ".join(p.runs) for p in some]}
        look = {"marker": marker | {"size": 13}, "error_y": spread}
        traces.append(shared | look | told | _at([p.x for p in some], [p.y for p in some], set_off))
    return [trace for trace in traces if len(trace["x"])]


def _at(x, y, set_off: bool) -> dict:
    return {"x": list(x), "y": list(y), "opacity": 1.0 if set_off else FADED}


def _connecting(group: list[Point], colour: str, faded: bool) -> dict:
    """A thin line through the means of recipes that differ in the amount only, or through all when there are enough."""
    lines: dict[str, list[Point]] = {}
    for point in group:
        lines.setdefault(point.about["line_key"], []).append(point)
    x, y = [], []
    for line in lines.values():
        if len(line) < LINED_UP:
            line = [point for point in line if len(point.values) > 1]
        if len(line) > 1:
            line = sorted(line, key=lambda point: point.x)
            x += [*(point.x for point in line), None]
            y += [*(point.y for point in line), None]
    drawn = {"mode": "lines", "line": {"color": colour, "width": 1}, "opacity": 0.15 if faded else 0.55}
    return {"x": x[:-1], "y": y[:-1]} | SILENT | drawn


def _covered(drawn: pd.DataFrame, points: list[Point], along: Axis, split: str) -> frozenset:
    """The runs that lie under the sign of their own mean: a click there is meant for the mean, which lists them."""
    x, y = drawn[along.after].astype(float), drawn[f"{split}_finetuned"].astype(float)
    near_x = COVERED * x.max()  # the axis begins at zero
    near_y = COVERED * (y.max() - y.min())
    where = dict(zip(drawn["id"], zip(x, y, strict=True), strict=True))
    return frozenset(
        run
        for point in points
        if len(point.values) > 1
        for run in point.runs
        if abs(where[run][0] - point.x) <= near_x and abs(where[run][1] - point.y) <= near_y
    )


def _mean_told(point: Point, task: Task) -> str:
    mean = _("Mean of {n} seeds: {mean} ± {spread} (standard deviation)")
    mean = mean.format(
        n=len(point.values), mean=metric_text(point.y, task.percent), spread=spread_text(point.spread, task.percent)
    )
    what = _named(point.about["criterion"], point.about["granularity"], share(point.about["amount"]))
    return f"<b>{what}</b><br>{mean}<br>{_('A click lists its runs.')}"


def _named(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


# -- what stands beside the runs ----------------------------------------------------------------------------------


def untouched(runs: pd.DataFrame, along: Axis, split: str) -> tuple[float | None, float] | None:
    """Where the untouched model is: what it costs, None where that cannot be said, and its metric; None: unknown."""
    known = runs[f"{split}_baseline"].dropna()
    if known.empty:
        return None
    x = along.before
    if isinstance(x, str):
        x = float(runs[x].dropna().astype(float).median())
    return x, float(known.iloc[-1])


def _star(x: float | None, y: float) -> dict:
    """The sign of the untouched model; without a cost it is a line only, which the legend then names."""
    shown = {"mode": "markers", "marker": {"symbol": "star", "size": 15, "color": MUTED}}
    if x is None:
        shown = {"mode": "lines", "line": {"color": MUTED, "width": 1.5, "dash": "dot"}}
    name = _("Untouched model")
    told = _listed(name) | {"hovertemplate": f"{name}<br>%{{y}}<extra></extra>"}
    told["unselected"] = {"marker": {"opacity": 1}}
    return {"type": "scatter", "x": [x], "y": [y]} | shown | told


def _listed(name: str) -> dict:
    return {"name": name, "legendgroup": name}


def _front(runs: pd.DataFrame, along: Axis, split: str) -> list[dict]:
    """The Pareto front of the runs as a quiet stepped line; none where a single point is all of it."""
    sign = -1 if along.more_is_better else 1
    by_validation = recipe_points(runs, "validation", along.after)
    places = [(point.x, point.y, point.about["recipe_key"]) for point in by_validation]
    dense = untouched(runs, along, "validation")
    if dense is not None and dense[0] is not None:
        places.append((*dense, None))
    kept = front([sign * x for x, _y, _key in places], [y for _x, y, _key in places])
    ends = [places[i] for i in kept]
    label = _("Pareto front")
    if split != "validation":
        label = _("Pareto front, chosen on validation")
        seen = {p.about["recipe_key"]: p.y for p in recipe_points(runs, split, along.after)}
        beside = untouched(runs, along, split)
        seen[None] = beside[1] if beside else None
        ends = [(x, seen[key], key) for x, _y, key in ends if seen.get(key) is not None]
    if len(ends) < 2:
        return []
    ends.sort()
    # Between two points one has what the costlier of them costs and the cheaper of them gives.
    line = {"shape": "vh" if along.more_is_better else "hv", "color": MUTED, "width": 1.5}
    drawn = _listed(label) | {"type": "scatter", "mode": "lines", "line": line, "opacity": 0.7}
    return [drawn | {"x": [end[0] for end in ends], "y": [end[1] for end in ends], "hoverinfo": "skip"}]
