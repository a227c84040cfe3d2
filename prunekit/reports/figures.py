"""The trade-off chart of runs: a metric against what it costs, as a plotly figure."""

import pandas as pd
import plotly.graph_objects as go

from prunekit.core.language import N_, _
from prunekit.core.tasks import Task
from prunekit.reports.axes import AXES, unit_of_time
from prunekit.reports.colours import COLOURS, GRID, MUTED
from prunekit.reports.marks import marks, untouched
from prunekit.reports.recipes import measured_on

SPLITS = {"validation": N_("validation"), "test": N_("test")}

LEGEND_HEIGHT = 90  # pixels
# Pixels of a chart of one panel, and with several what each is high and what is between two of them.
ALONE, PANEL, BETWEEN = 440, 320, 90
TITLE = 24  # pixels above a panel


def tradeoff(
    table: pd.DataFrame, axis: str, task: Task, split: str = "validation", chosen: tuple = (), first: str = ""
) -> go.Figure:
    """The metric of finished runs against what they cost.

    table: of `run_table`; axis: one of AXES; split: one of SPLITS; chosen: ids of runs to set off from the others;
    first: the id of the model whose panel comes first.
    Single runs carry the 95 % interval of their examples; where a recipe ran with several seeds, these are pale, and
    their mean carries the standard deviation. Recipes that differ in the amount only are connected. The untouched
    model is a line and a star, the random control is grey. The Pareto front is of means over seeds and is chosen on
    validation, whatever is shown: a front of test results would be a choice by test results. Each model has a panel of
    its own, and so have runs on the full data and on the shipped part of it.

    The `ids` of the points name their runs; that of a mean has those of all its seeds, separated by spaces.
    """
    along = AXES[axis]
    drawn = table[table[f"{split}_finetuned"].notna() & table[along.after].notna()].copy()
    drawn[along.after] = drawn[along.after].astype(float)
    unit = ""
    if axis == "time" and len(drawn):
        length, unit = unit_of_time(drawn[along.after].max())
        drawn[along.after] /= length
    batch = int(drawn["latency_batch"].iloc[0]) if len(drawn) else 64
    metric = _("{metric}, {split}").format(metric=_(task.metric_label), split=_(SPLITS[split]))
    across = _LINES | {"title": {"text": _(along.title).format(batch=batch, unit=_(unit))}}
    across |= {"tickformat": along.format, "ticksuffix": along.suffix}
    across |= {"range": [-0.03, 1.03]} if axis == "sparsity" else {"rangemode": "tozero"}
    up = _LINES | {"title": {"text": metric}, "tickformat": ".1%" if task.percent else ".3g"}
    chosen = frozenset(chosen) & set(drawn["id"])  # a run without a point sets nothing off
    subjects = [runs for _key, runs in drawn.groupby("subject_key", sort=False)]
    subjects.sort(key=lambda runs: runs["model_id"].iloc[0] != first)
    # A chart without runs has its axes too.
    figure = go.Figure(layout=_layout(len(subjects)) | {"xaxis": across, "yaxis": up})
    panels = zip(subjects, _places(len(subjects)), _titles(subjects), strict=True)
    drawn_marks = []
    for number, (runs, place, title) in enumerate(panels, 1):
        of = str(number) if number > 1 else ""
        x, y = f"x{of}", f"y{of}"
        figure.update_layout({f"xaxis{of}": across | {"anchor": y}, f"yaxis{of}": up | {"anchor": x, "domain": place}})
        drawn_marks += [mark | {"xaxis": x, "yaxis": y} for mark in marks(runs, along, split, task, chosen)]
        if baseline := untouched(runs, along, split):
            ends = {"xref": f"{x} domain", "x0": 0, "x1": 1, "yref": y, "y0": baseline[1], "y1": baseline[1]}
            figure.add_shape(type="line", line={"color": MUTED, "width": 1.5, "dash": "dot"}, **ends)
        if title:
            corner = {"xref": "paper", "x": 0, "xanchor": "left", "yref": f"{y} domain", "y": 1, "yanchor": "bottom"}
            figure.add_annotation(text=f"<b>{title}</b>", showarrow=False, yshift=4, **corner)
    return figure.add_traces(_with_legend(drawn_marks))


def _with_legend(drawn: list[dict]) -> list[dict]:
    """The marks of all panels, of each name the largest sign that is not faded in the legend.

    The panels share it: a name is in it once, and a click on it hides its marks in all of them.
    """

    def clear(mark: dict) -> tuple[float, float]:
        return mark.get("opacity", 1.0), mark.get("marker", {}).get("size", 0)

    listed: dict[str, int] = {}
    for place, mark in enumerate(drawn):
        if mark["name"] not in listed or clear(mark) > clear(drawn[listed[mark["name"]]]):
            listed[mark["name"]] = place
    return [mark | {"showlegend": listed[mark["name"]] == place} for place, mark in enumerate(drawn)]


_LINES = {"gridcolor": GRID, "zeroline": False, "showline": True, "linecolor": GRID, "automargin": True}


def _layout(panels: int) -> dict:
    """What depends on the number of panels at most."""
    inner = ALONE if panels < 2 else panels * PANEL + (panels - 1) * BETWEEN
    # Above the title of the uppermost panel.
    legend = {"orientation": "h", "x": 0, "y": 1 + (8 if panels < 2 else TITLE) / inner, "yanchor": "bottom"}
    return {
        "height": inner if panels < 2 else inner + LEGEND_HEIGHT + TITLE,
        "paper_bgcolor": "rgba(0, 0, 0, 0)",
        "plot_bgcolor": "rgba(0, 0, 0, 0)",
        # The chart's buttons stand in the margin on the right: over the legend nobody could read either.
        "margin": {"l": 8, "r": 36, "t": 8, "b": 8},
        "modebar": {"orientation": "v", "bgcolor": "rgba(0, 0, 0, 0)", "color": MUTED, "activecolor": COLOURS[0]},
        "hovermode": "closest",
        "hoverlabel": {"align": "left"},
        # On a narrow screen a long legend scrolls, and leaves the chart its room.
        "legend": legend | {"title": {"text": ""}, "maxheight": LEGEND_HEIGHT, "font": {"size": 11}},
        "dragmode": "zoom",
    }


def _places(panels: int) -> list[tuple[float, float]]:
    """The lower and the upper end of each panel, as shares of the whole height, from the top downwards."""
    step, whole = PANEL + BETWEEN, panels * PANEL + (panels - 1) * BETWEEN
    return [(1 - (i * step + PANEL) / whole, 1 - i * step / whole) for i in range(panels)]


def _titles(subjects: list[pd.DataFrame]) -> list[str]:
    """What tells the models, and the data that they were measured on, from each other; mostly nothing."""
    there = [runs.iloc[0] for runs in subjects]
    models = [row["model_id"] for row in there]
    several = len(set(models)) > 1
    titles = []
    for row in there:
        examples = measured_on(row["validation_examples"]) if models.count(row["model_id"]) > 1 else ""
        titles.append(" · ".join(part for part in (row["model"] if several else "", examples) if part))
    return titles
