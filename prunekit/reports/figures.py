"""The trade-off chart of runs: a metric against what it costs, as a plotly figure."""

import itertools

import pandas as pd
import plotly.graph_objects as go

from prunekit.core.amounts import metric_text, spread_text
from prunekit.core.descriptions import scorer_descriptions
from prunekit.core.language import N_, _
from prunekit.core.tasks import Task
from prunekit.reports.axes import AXES, Axis, unit_of_time
from prunekit.reports.pareto import front
from prunekit.reports.points import Point, recipe_points
from prunekit.reports.recipes import criterion, measured_on, share

# Middle tones: at least 3:1 against both a white and a near-black page.
COLOURS = ("#1a936f", "#dd5e33", "#4a80cf", "#b5881a", "#9a63b8", "#2f98a3", "#c84f7a", "#7f8f3d", "#957f68", "#6f7f8b")
MUTED = "#87938c"
GRID = "rgba(128, 140, 134, 0.22)"
FADED = 0.2  # runs that are not chosen, where some are
SYMBOLS = {"channel": "circle", "weight": "square"}
SILENT = {"hovertemplate": None, "hoverinfo": "skip"}  # neither told of nor clicked
COVERED = 0.03  # of an axis: about the radius of a mean's sign
LEGEND_HEIGHT = 90  # pixels
LINED_UP = 3  # so many recipes that differ in the amount only are connected, whether they have several seeds or not

SPLITS = {"validation": N_("validation"), "test": N_("test")}


def tradeoff(table: pd.DataFrame, axis: str, task: Task, split: str = "validation", chosen: tuple = ()) -> go.Figure:
    """The metric of finished runs against what they cost.

    table: of `run_table`; axis: one of AXES; split: one of SPLITS; chosen: ids of runs to set off from the others.
    Single runs carry the 95 % interval of their examples; where a recipe ran with several seeds, these are pale, and
    their mean carries the standard deviation. Recipes that differ in the amount only are connected. The untouched
    model is a line and a star, the random control is grey. The Pareto front of each model is of means over seeds and is
    chosen on validation, whatever is shown: a front of test results would be a choice by test results. Runs on the full
    data and on the shipped part of it are told apart like those of two models.

    The `ids` of the points name their runs; that of a mean has those of all its seeds, separated by spaces.
    """
    along = AXES[axis]
    drawn = table[table[f"{split}_finetuned"].notna() & table[along.after].notna()].copy()
    drawn[along.after] = drawn[along.after].astype(float)
    unit = ""
    if axis == "time" and len(drawn):
        length, unit = unit_of_time(drawn[along.after].max())
        drawn[along.after] /= length
    points = recipe_points(drawn, split, along.after)
    chosen = frozenset(chosen) & set(drawn["id"])  # a run without a point sets nothing off
    names = _subjects(drawn)
    traces, lines = [], []
    for subject, runs in drawn.groupby("subject_key", sort=False):
        name = names[subject]
        untouched = _untouched(runs, along, split)
        if untouched is not None:
            lines.append({"type": "line", "xref": "x domain", "x0": 0, "x1": 1, "y0": untouched[1], "y1": untouched[1]})
            traces.append(_star(*untouched, _named(_("Untouched model"), name)))
        traces += _front(runs, along, split, name)
    covered = _covered(drawn, points, along, split)
    for name, group in _groups(points, names):
        traces += _of_group(drawn, group, name, along, split, task, chosen, covered)
    batch = int(drawn["latency_batch"].iloc[0]) if len(drawn) else 64
    metric = _("{metric}, {split}").format(metric=_(task.metric_label), split=_(SPLITS[split]))
    layout = {
        "paper_bgcolor": "rgba(0, 0, 0, 0)",
        "plot_bgcolor": "rgba(0, 0, 0, 0)",
        # The chart's buttons stand in the margin on the right: over the legend nobody could read either.
        "margin": {"l": 8, "r": 36, "t": 8, "b": 8},
        "modebar": {"orientation": "v", "bgcolor": "rgba(0, 0, 0, 0)", "color": MUTED, "activecolor": COLOURS[0]},
        "hovermode": "closest",
        "hoverlabel": {"align": "left"},
        # On a narrow screen a long legend scrolls, and leaves the chart its room.
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "title": {"text": ""}}
        | {"maxheight": LEGEND_HEIGHT, "font": {"size": 11}},
        "dragmode": "zoom",
        "shapes": [line | {"line": {"color": MUTED, "width": 1.5, "dash": "dot"}} for line in lines],
        "xaxis": _GRID_LINES
        | {"title": {"text": _(along.title).format(batch=batch, unit=_(unit))}}
        | {"tickformat": along.format, "ticksuffix": along.suffix}
        | ({"range": [-0.03, 1.03]} if axis == "sparsity" else {"rangemode": "tozero"}),
        "yaxis": _GRID_LINES | {"title": {"text": metric}, "tickformat": ".1%" if task.percent else ".3g"},
    }
    return go.Figure(data=traces, layout=layout)


_GRID_LINES = {"gridcolor": GRID, "zeroline": False, "showline": True, "linecolor": GRID, "automargin": True}


def _subjects(drawn: pd.DataFrame) -> dict[str, str]:
    """By their key, what tells the models, and the data that they were measured on, from each other; mostly nothing."""
    there = drawn.drop_duplicates("subject_key").set_index("subject_key")
    several = there["model_id"].nunique() > 1
    on_other_data = there["model_id"].duplicated(keep=False)
    examples = there["validation_examples"].map(measured_on).where(on_other_data, "")
    return {key: _named(there.at[key, "model"] if several else "", examples[key]) for key in there.index}


def _groups(points: list[Point], names: dict[str, str]) -> list[tuple[str, list[Point]]]:
    """One entry of the legend each: a criterion at a grain (of a subject, where there are several); controls last."""
    groups: dict[str, list[Point]] = {}
    for point in points:
        about = point.about
        label = _("Random control") if about["is_control"] else criterion(about["scorer"])
        name = _named(label, about["granularity"], names[about["subject_key"]])
        groups.setdefault(name, []).append(point)
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
    marker = {"color": colour, "symbol": SYMBOLS[about["grain"]] + ("-open" if about["is_control"] else ""), "size": 11}
    marker["line"] = {"width": 2 if about["is_control"] else 0, "color": colour}
    told = "%{customdata}" + (_("<br>Test: {value}").format(value="%{y}") if split == "test" else "")
    shared = {"type": "scatter", "mode": "markers", "legendgroup": name, "name": name, "showlegend": False}
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
        told = {"customdata": list(some["hover"]), "ids": list(some["id"])}
        traces.append(look | told | _at(some[along.after], y, set_off))
    for set_off in (True, False):
        some = [point for point in means if (not chosen or not chosen.isdisjoint(point.runs)) == set_off]
        spread = bars | {"array": [point.spread for point in some], "thickness": 2, "width": 6}
        told = {"customdata": [_mean_told(point, task) for point in some], "ids": [" ".join(p.runs) for p in some]}
        look = {"marker": marker | {"size": 13}, "error_y": spread}
        traces.append(shared | look | told | _at([p.x for p in some], [p.y for p in some], set_off))
    traces = [trace for trace in traces if len(trace["x"])]
    # The legend shows the largest sign that is not faded.
    max(traces, key=lambda trace: (trace["opacity"], trace.get("marker", {}).get("size", 0)))["showlegend"] = True
    return traces


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


def _untouched(runs: pd.DataFrame, along: Axis, split: str) -> tuple[float | None, float] | None:
    """Where the untouched model is: what it costs, None where that cannot be said, and its metric; None: unknown."""
    known = runs[f"{split}_baseline"].dropna()
    if known.empty:
        return None
    x = along.before
    if isinstance(x, str):
        x = float(runs[x].dropna().astype(float).median())
    return x, float(known.iloc[-1])


def _star(x: float | None, y: float, name: str) -> dict:
    """The sign of the untouched model; without a cost it is a line only, which the legend then names."""
    shown = {"mode": "markers", "marker": {"symbol": "star", "size": 15, "color": MUTED}}
    if x is None:
        shown = {"mode": "lines", "line": {"color": MUTED, "width": 1.5, "dash": "dot"}}
    told = {"name": name, "hovertemplate": f"{name}<br>%{{y}}<extra></extra>"}
    told["unselected"] = {"marker": {"opacity": 1}}
    return {"type": "scatter", "x": [x], "y": [y]} | shown | told


def _front(runs: pd.DataFrame, along: Axis, split: str, subject: str) -> list[dict]:
    """The Pareto front of a subject's runs as a quiet stepped line; none where a single point is all of it."""
    sign = -1 if along.more_is_better else 1
    by_validation = recipe_points(runs, "validation", along.after)
    places = [(point.x, point.y, point.about["recipe_key"]) for point in by_validation]
    untouched = _untouched(runs, along, "validation")
    if untouched is not None and untouched[0] is not None:
        places.append((*untouched, None))
    kept = front([sign * x for x, _y, _key in places], [y for _x, y, _key in places])
    ends = [places[i] for i in kept]
    label = _("Pareto front")
    if split != "validation":
        label = _("Pareto front, chosen on validation")
        seen = {p.about["recipe_key"]: p.y for p in recipe_points(runs, split, along.after)}
        beside = _untouched(runs, along, split)
        seen[None] = beside[1] if beside else None
        ends = [(x, seen[key], key) for x, _y, key in ends if seen.get(key) is not None]
    if len(ends) < 2:
        return []
    ends.sort()
    # Between two points one has what the costlier of them costs and the cheaper of them gives.
    line = {"shape": "vh" if along.more_is_better else "hv", "color": MUTED, "width": 1.5}
    drawn = {"type": "scatter", "mode": "lines", "name": _named(label, subject), "line": line, "opacity": 0.7}
    return [drawn | {"x": [end[0] for end in ends], "y": [end[1] for end in ends], "hoverinfo": "skip"}]


def colour_of(scorer: str) -> str:
    """The colour of a criterion: the same one on every chart, whatever else is drawn."""
    names = list(scorer_descriptions())
    return COLOURS[names.index(scorer) % len(COLOURS)] if scorer in names else COLOURS[-1]
