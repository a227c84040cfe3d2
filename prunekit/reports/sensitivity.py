"""What each row can lose by itself, as plotly figures and a sentence: a heat map and curves."""

import html
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from prunekit.core.amounts import loss_text, metric_text, percent, spread_text, whole
from prunekit.core.language import _
from prunekit.core.sensitivity import SPARSITIES, Cell
from prunekit.reports.colours import COLOURS, GRID, MUTED

Measured = Mapping[tuple[str, float], Cell]

# From nothing lost to WORST and beyond: light to dark as well, for eyes that do not tell the hues apart.
SCALE = ((0.0, "#cfe8df"), (0.15, "#8fcbb5"), (0.4, "#e8c468"), (0.7, "#dd5e33"), (1.0, "#8f1d2c"))
WORST = 0.1  # of the metric
UNTOUCHED = "rgba(128, 140, 134, 0.28)"  # where nothing was pruned
ROW, FEW_ROWS, AROUND = 26, 240, 104  # pixels: of a row, of all of them at least, and for the rest
CURVES = 380
NAMED = 5  # rows whose curves have a colour and a name: the ones that lose most


def heat_map(
    rows: Sequence[str],
    labels: Mapping[str, str],
    measured: Measured,
    metric: str,
    as_percent: bool,
    chosen: Mapping[str, float] | None = None,
) -> go.Figure:
    """For each row and sparsity how much of the metric is lost; grey where nothing was pruned, empty where nothing is
    measured yet.

    rows: in their order; labels: what people read for each; chosen: the sparsity of each row that is to be marked.
    """
    columns = [percent(s, 0) for s in SPARSITIES]
    table = [[measured.get((row, s)) for s in SPARSITIES] for row in rows]
    figure = go.Figure()
    for values, scale, name in (
        ([[0 if c and c.value is None else None for c in cells] for cells in table], _flat(UNTOUCHED), "untouched"),
        ([[c.drop if c else None for c in cells] for cells in table], SCALE, "lost"),
    ):
        figure.add_heatmap(
            x=columns,
            y=list(rows),
            z=values,
            zmin=0,
            zmax=WORST,
            colorscale=scale,
            name=name,
            showscale=name == "lost",
            colorbar=_bar(as_percent),
            xgap=2,
            ygap=2,
            hoverongaps=False,
            text=[[_in_cell(c, as_percent) for c in cells] for cells in table],
            texttemplate="%{text}",
            customdata=[[_told(c, labels, as_percent) if c else "" for c in cells] for cells in table],
            hovertemplate="%{customdata}<extra></extra>",
        )
    for row, sparsity in (chosen or {}).items():
        x, y = SPARSITIES.index(sparsity), rows.index(row)
        box = {"x0": x - 0.47, "x1": x + 0.47, "y0": y - 0.44, "y1": y + 0.44}
        figure.add_shape(type="rect", **box, line={"width": 3, "color": COLOURS[2]}, fillcolor="rgba(0, 0, 0, 0)")
    figure.update_layout(
        title=_title((_("{metric} lost, in points") if as_percent else _("{metric} lost")).format(metric=metric)),
        height=AROUND + max(ROW * len(rows), min(FEW_ROWS, 2 * ROW * len(rows))),
        margin={"l": 8, "r": 8, "t": 44, "b": 56},
        xaxis={
            "title": {"text": _("Pruned of this row, everything else left alone")},
            "type": "category",
            "range": [-0.5, len(columns) - 0.5],
            "showgrid": False,
        },
        yaxis={
            "autorange": False,
            "range": [len(rows) - 0.5, -0.5],
            "tickvals": list(range(len(rows))),
            "ticktext": [html.escape(labels[row]) for row in rows],
            "categoryorder": "array",
            "categoryarray": list(rows),
            "automargin": True,
            "showgrid": False,
        },
        paper_bgcolor="rgba(0, 0, 0, 0)",
        plot_bgcolor="rgba(0, 0, 0, 0)",
    )
    return figure


def curves(
    rows: Sequence[str], labels: Mapping[str, str], measured: Measured, metric: str, as_percent: bool
) -> go.Figure:
    """The metric against the sparsity of each row: the rows that lose most in colours of their own, the others grey."""
    figure = go.Figure()
    cells = {row: [c for s in SPARSITIES if (c := measured.get((row, s))) and c.value is not None] for row in rows}
    worst = sorted((row for row in rows if cells[row]), key=lambda row: _mean_drop(cells[row]), reverse=True)[:NAMED]
    others = [row for row in rows if row not in worst]
    for row in [*others, *(row for row in rows if row in worst)]:
        if not cells[row]:
            continue
        named = row in worst
        colour = COLOURS[worst.index(row)] if named else MUTED
        figure.add_scatter(
            x=[0.0, *(c.sparsity for c in cells[row])],
            y=[cells[row][0].baseline, *(c.value for c in cells[row])],
            name=html.escape(labels[row]),
            mode="lines+markers",
            line={"color": colour, "width": 2.2 if named else 1},
            marker={"size": 6 if named else 3},
            opacity=1 if named else 0.5,
            showlegend=named,
            customdata=["", *(_told(c, labels, as_percent) for c in cells[row])],
            hovertemplate="%{customdata}<extra></extra>",
        )
    if known := next((c for c in measured.values()), None):
        figure.add_hline(y=known.baseline, line={"color": MUTED, "dash": "dot", "width": 1.2})
    figure.update_layout(
        title=_title(_("{metric} against what is pruned").format(metric=metric)),
        height=CURVES,
        margin={"l": 8, "r": 8, "t": 44, "b": 8},
        xaxis={"title": {"text": _("Pruned of this row")}, "tickformat": ".0%", "range": [0, 0.92], "gridcolor": GRID},
        yaxis={
            "title": {"text": _("{metric} before fine-tuning").format(metric=metric)},
            "tickformat": ".0%" if as_percent else ".2f",
            "gridcolor": GRID,
            "zeroline": False,
        },
        legend={"orientation": "h", "y": -0.22, "yanchor": "top"},
        paper_bgcolor="rgba(0, 0, 0, 0)",
        plot_bgcolor="rgba(0, 0, 0, 0)",
    )
    return figure


def in_words(rows: Sequence[str], labels: Mapping[str, str], measured: Measured, as_percent: bool) -> str:
    """Which row loses most where half of it goes, and which least; "" as long as that is not measured everywhere."""
    half = {row: measured.get((row, 0.5)) for row in rows}
    drops = {row: cell.drop for row, cell in half.items() if cell and cell.value is not None}
    if len(drops) < 2 or any(cell is None for cell in half.values()):
        return ""
    most, least = max(drops, key=drops.get), min(drops, key=drops.get)
    sentence = _("Half of {most} costs {lost}, half of {least} {little}.")
    return sentence.format(
        most=labels[most],
        lost=loss_text(drops[most], as_percent),
        least=labels[least],
        little=loss_text(drops[least], as_percent),
    )


def precision_in_words(measured: Measured, as_percent: bool) -> str:
    """How exact one reading is, from the one that is nearest to the untouched model; "" where nothing is measured."""
    read = [cell for cell in measured.values() if cell.value is not None]
    if not read:
        return ""
    near = min(read, key=lambda cell: abs(cell.drop))
    half = loss_text((near.high - near.low) / 2, as_percent)
    sentence = _("A reading on {n} examples is good to about ±{half} (95 %); smaller differences may be noise.")
    return sentence.format(n=whole(near.n), half=half)


def _in_cell(cell: Cell | None, as_percent: bool) -> str:
    if cell is None:
        return ""
    if cell.value is None:
        return "–"
    text = spread_text(abs(cell.drop), as_percent, 1)
    return f"−{text}" if cell.drop < 0 and float(text) else text


def _told(cell: Cell, labels: Mapping[str, str], as_percent: bool) -> str:
    """What the mouse is told of a cell."""
    head = f"<b>{html.escape(labels[cell.row])}</b><br>"
    if cell.value is None:
        sentence = _("Nothing was pruned here: {share} of {units} is less than one.")
        return head + sentence.format(share=percent(cell.sparsity, 0), units=whole(cell.units))
    lines = (
        _("{pruned} of {units} pruned"),
        _("{value}, 95 % interval {low} to {high}, n = {n}"),
        _("untouched {baseline}"),
    )
    found = {name: metric_text(getattr(cell, name), as_percent) for name in ("value", "low", "high", "baseline")}
    counts = {"pruned": whole(cell.pruned), "units": whole(cell.units), "n": whole(cell.n)}
    return head + "<br>".join(lines).format(**found, **counts)


def _mean_drop(cells: Sequence[Cell]) -> float:
    return sum(cell.drop for cell in cells) / len(cells)


def _title(text: str) -> dict:
    return {"text": text, "font": {"size": 14}, "x": 0, "xref": "container", "y": 1, "yanchor": "top", "pad": {"t": 10}}


def _flat(colour: str) -> tuple:
    return ((0.0, colour), (1.0, colour))


def _bar(as_percent: bool) -> dict:
    ticks = [0, 0.25 * WORST, 0.5 * WORST, 0.75 * WORST, WORST]
    text = [f"{100 * tick:g}" if as_percent else f"{tick:g}" for tick in ticks]
    return {
        "tickvals": ticks,
        "ticktext": [*text[:-1], f"≥ {text[-1]}"],
        "thickness": 12,
        "outlinewidth": 0,
    }
