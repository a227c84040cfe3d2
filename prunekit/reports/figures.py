"""The trade-off chart of runs: a metric against what it costs, as a plotly figure."""

from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from prunekit.core.descriptions import scorer_descriptions
from prunekit.core.language import N_, _
from prunekit.core.tasks import Task
from prunekit.reports.recipes import criterion

# Middle tones: at least 3:1 against both a white and a near-black page.
COLOURS = ("#1a936f", "#dd5e33", "#4a80cf", "#b5881a", "#9a63b8", "#2f98a3", "#c84f7a", "#7f8f3d", "#957f68", "#6f7f8b")
MUTED = "#87938c"
GRID = "rgba(128, 140, 134, 0.22)"
FADED = 0.2  # runs that are not chosen, where some are
SYMBOLS = {"channel": "circle", "weight": "square"}


@dataclass(frozen=True)
class Axis:
    """What the metric is drawn against: a column, and the column of the untouched model (none: zero)."""

    name: str
    label: str
    title: str
    after: str
    before: str | None
    format: str


AXES = {
    axis.name: axis
    for axis in (
        Axis("sparsity", N_("Sparsity"), N_("Sparsity: pruned over prunable units"), "sparsity_actual", None, ".0%"),
        Axis("parameters", N_("Parameters"), N_("Non-zero parameters"), "nonzero_after", "nonzero_before", "~s"),
        Axis("macs", N_("MACs"), N_("MACs for one input"), "macs_after", "macs_before", "~s"),
        Axis(
            "latency",
            N_("Measured latency"),
            # Milliseconds of different moments do not compare: each run is told relative to its own measurement.
            N_("Measured time of a batch of {batch}, relative to the untouched model beside it"),
            "relative_time",
            "untouched_time",
            ".0%",
        ),
    )
}

SPLITS = {"validation": N_("validation"), "test": N_("test")}


def tradeoff(table: pd.DataFrame, axis: str, task: Task, split: str = "validation", chosen: tuple = ()) -> go.Figure:
    """The metric of finished runs against what they cost.

    table: of `run_table`; axis: one of AXES; split: one of SPLITS; chosen: ids of runs to set off from the others.
    Points carry the 95 % interval of the examples; where a recipe ran with several seeds, their mean carries the
    standard deviation instead. The untouched model is a line and a star, the random control is grey.
    """
    along = AXES[axis]
    drawn = table[table[f"{split}_finetuned"].notna() & table[along.after].notna()]
    figure = go.Figure()
    several = drawn["model_id"].nunique() > 1
    for _model, of_model in drawn.groupby("model_id", sort=False):
        _draw_baseline(figure, of_model, along, split, of_model["model"].iloc[0] if several else "")
    for name, group in _groups(drawn, several):
        _draw_runs(figure, group, along, split, name, frozenset(chosen))
    batch = int(drawn["latency_batch"].iloc[0]) if len(drawn) else 64
    metric = _("{metric}, {split}").format(metric=_(task.metric_label), split=_(SPLITS[split]))
    figure.update_layout(
        paper_bgcolor="rgba(0, 0, 0, 0)",
        plot_bgcolor="rgba(0, 0, 0, 0)",
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        hovermode="closest",
        hoverlabel={"align": "left"},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "title": {"text": ""}},
        dragmode="zoom",
    )
    figure.update_xaxes(title=_(along.title).format(batch=batch), tickformat=along.format, **_GRID_LINES)
    figure.update_yaxes(title=metric, tickformat=".1%" if task.percent else ".3g", **_GRID_LINES)
    if axis == "sparsity":
        figure.update_xaxes(range=[-0.03, 1.03])
    else:
        figure.update_xaxes(rangemode="tozero")
    return figure


_GRID_LINES = {"gridcolor": GRID, "zeroline": False, "showline": True, "linecolor": GRID, "automargin": True}


def _groups(drawn: pd.DataFrame, several: bool) -> list[tuple[str, pd.DataFrame]]:
    """One entry of the legend each: a criterion at a grain (of a model, where there are several); controls last."""

    def name(row) -> str:
        criterion_name = _("Random control") if row["is_control"] else criterion(row["scorer"])
        return " · ".join([criterion_name, row["granularity"]] + ([row["model"]] if several else []))

    if drawn.empty:
        return []
    by_name = drawn.groupby(drawn.apply(name, axis=1), sort=True)
    return sorted(by_name, key=lambda named: bool(named[1]["is_control"].iloc[0]))


def _draw_runs(figure: go.Figure, group: pd.DataFrame, along: Axis, split: str, name: str, chosen: frozenset) -> None:
    first = group.iloc[0]
    control = bool(first["is_control"])
    colour = MUTED if control else colour_of(first["scorer"])
    symbol = SYMBOLS[first["grain"]] + ("-open" if control else "")
    x, y = group[along.after].astype(float), group[f"{split}_finetuned"].astype(float)
    low, high = y - group[f"{split}_low"].astype(float), group[f"{split}_high"].astype(float) - y
    bars = {"type": "data", "color": colour, "thickness": 1, "width": 4}
    marker = {"color": colour, "symbol": symbol, "size": 11, "line": {"width": 2 if control else 0, "color": colour}}
    told = "%{customdata}" + (_("<br>Test: {value}").format(value="%{y}") if split == "test" else "")
    shared = {"mode": "markers", "legendgroup": name, "name": name, "hovertemplate": told + "<extra></extra>"}
    repeated = group["seeds"].fillna(1) > 1
    here = group["id"].isin(chosen) if chosen else pd.Series(True, index=group.index)
    in_legend = True
    for several_seeds, set_off in ((False, True), (False, False), (True, True), (True, False)):
        part = (repeated == several_seeds) & (here == set_off)
        if not part.any():
            continue
        figure.add_scatter(
            x=x[part],
            y=y[part],
            error_y=None if several_seeds else bars | {"array": high[part], "arrayminus": low[part]},
            customdata=group["hover"][part],
            ids=group["id"][part],
            marker=marker | ({"size": 7, "opacity": 0.5} if several_seeds else {}),
            opacity=1.0 if set_off else FADED,
            showlegend=in_legend,
            **shared,
        )
        in_legend = False
    for _key, seeds in group[repeated].groupby("recipe_key", sort=False):
        values, which = y[seeds.index], here[seeds.index]
        text = _("Mean of {n} seeds: {mean:.4f} ± {spread:.4f} (standard deviation)")
        spread = values.std(ddof=1)
        figure.add_scatter(
            x=[x[seeds.index].mean()],
            y=[values.mean()],
            error_y=bars | {"array": [spread], "thickness": 2, "width": 6},
            customdata=[text.format(n=len(seeds), mean=values.mean(), spread=spread)],
            marker=marker | {"size": 13},
            opacity=1.0 if which.any() else FADED,
            showlegend=False,
            **shared,
        )


def _draw_baseline(figure: go.Figure, of_model: pd.DataFrame, along: Axis, split: str, model: str) -> None:
    known = of_model[f"{split}_baseline"].dropna()
    if known.empty:
        return
    y = float(known.iloc[-1])
    x = 0.0 if along.before is None else float(of_model[along.before].dropna().astype(float).median())
    name = " · ".join(part for part in (_("Untouched model"), model) if part)
    figure.add_hline(y=y, line={"color": MUTED, "width": 1.5, "dash": "dot"})
    figure.add_scatter(
        x=[x],
        y=[y],
        mode="markers",
        name=name,
        marker={"symbol": "star", "size": 15, "color": MUTED},
        hovertemplate=f"{name}<br>%{{y}}<extra></extra>",
    )


def colour_of(scorer: str) -> str:
    """The colour of a criterion: the same one on every chart, whatever else is drawn."""
    names = list(scorer_descriptions())
    return COLOURS[names.index(scorer) % len(COLOURS)] if scorer in names else COLOURS[-1]
