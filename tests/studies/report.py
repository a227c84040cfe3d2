"""`make readme`: the table and the figure of the studies that are sweeps, redrawn from their saved histories."""

import sys
from pathlib import Path

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from prunekit.core.amounts import metric_text, spread_text
from prunekit.core.cards import model_cards
from prunekit.core.cuts import GRANULARITIES
from prunekit.experiments import histories
from prunekit.reports.colours import GRID, MUTED, colour_of
from prunekit.reports.recipes import share
from prunekit.reports.sweep_table import Line, sweep_lines
from tests.browser.driving import chromium_path, launched
from tests.results import ROOT, told_environment

DOCS = ROOT / "docs"
WIDTH, HEIGHT = 1200, 840
CAPTION = "Solid: after fine-tuning; dotted: right after the cut; dashed: untouched"


def lines_of(path: Path) -> list[tuple[str, list[Line]]]:
    """What a history's sweeps came to: for each its model and granularity in words, and its lines."""
    found = []
    for sweep in histories.read(path)["sweeps"]:
        base = sweep["plan"]["base"]
        words = f"{model_cards()[base['model']].title}, {GRANULARITIES[base['granularity']]}"
        found.append((words, sweep_lines(histories.runs_of(sweep))))
    return found


def page(path: Path) -> str:
    """The study as Markdown: the figure, then a table for each sweep."""
    history = histories.read(path)
    name = history["name"]
    text = [
        f"# Study {name}",
        "",
        "Validation accuracy before and after the same short fine-tuning: means over the seeds ± their standard "
        f"deviation. Written by `make readme` from the runs in `{path.relative_to(ROOT).as_posix()}`, which the app "
        f"shows on Compare; `make study NAME={name}` runs them again.",
        "",
        f"![Validation accuracy of each criterion against the amount that is cut]({name}.png)",
    ]
    for words, lines in lines_of(path):
        baseline = metric_text(lines[0].validation_baseline, True)
        text += ["", f"## {words}", "", f"Untouched: {baseline} on validation.", ""]
        names = ("gone", "criterion", "after the cut", "fine-tuned", "against the best", "test", "seeds")
        text += [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]
        text += [_row(line) for line in lines]
    return "\n".join([*text, "", told_environment(history["environment"]), ""])


def _row(line: Line) -> str:
    cut, tuned, test = (
        metric_text(mean, True) + ("" if spread is None else f" ± {spread_text(spread, True, 1)}")
        for mean, spread in (
            (line.validation_pruned, line.validation_pruned_spread),
            (line.validation, line.validation_spread),
            (line.test, line.test_spread),
        )
    )
    cells = (share(line.amount), line.criterion, cut, tuned, line.standing or "–", test, str(line.seeds))
    return f"| {' | '.join(cells)} |"


def figure(path: Path) -> go.Figure:
    """A panel for each sweep: solid after fine-tuning, dotted before it, bars of one standard deviation."""
    panels = lines_of(path)
    drawn = make_subplots(
        rows=(len(panels) + 1) // 2, cols=2, subplot_titles=[words for words, _lines in panels], vertical_spacing=0.12
    )
    named = set()
    for number, lines in enumerate(lines for _words, lines in panels):
        place = {"row": number // 2 + 1, "col": number % 2 + 1}
        for criterion in dict.fromkeys(line.criterion for line in lines):
            own = [line for line in lines if line.criterion == criterion]
            colour = MUTED if own[0].scorer == "random" else colour_of(own[0].scorer)
            x = [line.amount for line in own]
            shared = {"x": x, "legendgroup": criterion, "name": criterion, "line": {"color": colour}}
            bars = {"type": "data", "array": [line.validation_spread or 0 for line in own], "width": 3}
            after = go.Scatter(
                y=[line.validation for line in own], error_y=bars, showlegend=criterion not in named, **shared
            )
            before = go.Scatter(y=[line.validation_pruned for line in own], showlegend=False, opacity=0.6, **shared)
            before.update(line={"dash": "dot"}, marker={"size": 4})
            drawn.add_traces([after, before], rows=[place["row"]] * 2, cols=[place["col"]] * 2)
            named.add(criterion)
        # Only now: plotly draws no such line into a panel without traces.
        drawn.add_hline(y=lines[0].validation_baseline, line={"color": MUTED, "width": 1.5, "dash": "dash"}, **place)
    drawn.update_annotations(yshift=6)
    drawn.update_xaxes(tickformat=".0%", gridcolor=GRID, title_text="share of the units pruned")
    drawn.update_yaxes(tickformat=".0%", gridcolor=GRID, range=[0, 1], title_text="validation accuracy")
    drawn.update_layout(
        width=WIDTH,
        height=HEIGHT,
        template="plotly_white",
        title={"text": CAPTION, "font": {"size": 14}, "x": 0.03, "y": 0.97, "yanchor": "top"},
        legend={"orientation": "h", "x": 0, "y": 0.945, "yref": "container", "yanchor": "top"},
        margin={"t": 110, "l": 60, "r": 20, "b": 60},
    )
    return drawn


def picture(drawn: go.Figure, path: Path) -> None:
    """Writes a figure as a PNG, drawn by the browser that the tests use."""
    with launched() as browser:
        sheet = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        sheet.set_content(drawn.to_html(include_plotlyjs=True, config={"staticPlot": True}))
        sheet.locator(".main-svg").first.screenshot(path=str(path))


def main() -> int:
    if chromium_path() is None:  # table and figure are written together or not at all
        print("There is no Chromium here, so the pages of the studies stay as they are.")
        return 0
    for path in sorted(histories.FOLDER.glob("*.json.gz")):
        name = path.name.removesuffix(".json.gz")
        (DOCS / f"{name}.md").write_text(page(path), encoding="utf-8")
        picture(figure(path), DOCS / f"{name}.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
