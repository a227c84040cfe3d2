"""Where two cuts of the same units agree and where they do not, as a plotly figure and a sentence."""

import plotly.graph_objects as go

from prunekit.core.amounts import whole
from prunekit.core.language import N_, _
from prunekit.reports.colours import COLOURS, GRID, MUTED

PARTS = {
    "both": (N_("both"), COLOURS[0]),
    "only_a": (N_("only A"), COLOURS[2]),
    "only_b": (N_("only B"), COLOURS[1]),
    "neither": (N_("neither"), MUTED),
}
BAR, AROUND = 26, 104  # pixels


def figure_of(rows: list[dict]) -> go.Figure:
    """For each layer a bar of its units: which of them both cuts keep, only one of them, or neither; beside it how
    alike the two criteria rank them.

    rows: of `experiments.answers.agreement`, with its layer each.
    """
    layers = [row["layer"] for row in rows]
    figure = go.Figure()
    for part, (label, colour) in PARTS.items():
        counts = [row[part] for row in rows]
        figure.add_bar(
            y=layers,
            x=[count / _units(row) for count, row in zip(counts, rows, strict=True)],
            name=_(label),
            orientation="h",
            marker={"color": colour, "opacity": 0.35 if part == "neither" else 1.0},
            customdata=[[whole(count), whole(_units(row))] for count, row in zip(counts, rows, strict=True)],
            hovertemplate="%{y}<br>" + _(label) + ": " + _("%{customdata[0]} of %{customdata[1]}") + "<extra></extra>",
        )
    for row in rows:
        figure.add_annotation(
            x=1, y=row["layer"], xanchor="left", xshift=8, showarrow=False, text=_rho(row["rank_correlation"])
        )
    figure.update_layout(
        barmode="stack",
        bargap=0.3,
        height=AROUND + BAR * len(rows),
        margin={"l": 8, "r": 90, "t": 48, "b": 44},
        # A legend of plotly's takes a line for each name on a narrow page.
        showlegend=False,
        title={
            "text": _key(),
            "font": {"size": 13},
            "x": 0,
            "xref": "container",
            "y": 1,
            "yanchor": "top",
            "pad": {"t": 12},
        },
        xaxis={
            "range": [0, 1],
            "tickformat": ".0%",
            "gridcolor": GRID,
            "title": {"text": _("Kept, as a share of the layer")},
        },
        yaxis={"autorange": "reversed", "automargin": True},
        paper_bgcolor="rgba(0, 0, 0, 0)",
        plot_bgcolor="rgba(0, 0, 0, 0)",
    )
    return figure


def in_words(rows: list[dict], units: str) -> str:
    """The same in a sentence or two. units: what is counted ("channels")."""
    total = {part: sum(row[part] for row in rows) for part in PARTS}
    sentence = _("Of {all} {units} both keep {both}; {only_a} are kept by A alone, {only_b} by B alone.")
    counts = {part: whole(count) for part, count in total.items()}
    said = sentence.format(all=whole(sum(total.values())), units=units, **counts)
    ranked = [row for row in rows if row["rank_correlation"] is not None]
    if len(ranked) > 1:
        least = min(ranked, key=lambda row: row["rank_correlation"])
        words = _("They rank the units of {layer} least alike: Spearman's rank correlation is {rho} there.")
        said += " " + words.format(layer=least["layer"], rho=_signed(least["rank_correlation"]))
    return said


def _key() -> str:
    return "   ".join(f"<span style='color:{colour}'>■</span> {_(label)}" for label, colour in PARTS.values())


def _units(row: dict) -> int:
    return max(sum(row[part] for part in PARTS), 1)


def _rho(correlation: float | None) -> str:
    return "" if correlation is None else f"ρ {_signed(correlation)}"


def _signed(number: float) -> str:
    return f"{number:.2f}".replace("-", "−")
