"""The rows of the Sensitivity page in words, and its numbers as a table."""

from collections.abc import Iterable, Mapping

import pandas

from prunekit.core.language import _, ngettext
from prunekit.core.sensitivity import Cell
from prunekit.ui.panels.layers import uncut_layers


def labels_of(rows: list[dict], summary: dict) -> dict[str, str]:
    """What people read for each row: its layer, and how many more layers are cut with it."""
    together = {group["name"]: group["together"] for group in summary["groups"]}
    labels = {}
    for row in rows:
        more = len(together.get(row["name"], [row["layer"]])) - 1
        words = ngettext("{layer} and {n} more", "{layer} and {n} more", more)
        labels[row["name"]] = words.format(layer=row["label"], n=more) if more > 0 else row["label"]
    return labels


def moving_together(rows: Iterable[str], summary: dict) -> list[str]:
    """A line for each row that stands for several layers."""
    together = {group["name"]: group["together"] for group in summary["groups"]}
    several = [together[row] for row in rows if len(together.get(row, ())) > 1]
    sentence = _("{layers}: their channels are added together, so they move together and are one row.")
    return [sentence.format(layers=", ".join(layers)) for layers in several]


def rowless_layers(rows: list[dict], summary: dict, left_out: Mapping[str, str]) -> list[str]:
    """A line for each reason why layers have no row, with their names, but for those that move with others.

    left_out: see `uncut_layers`.
    """
    own = {row["name"] for row in rows}
    moving = {layer for group in summary["groups"] if group["name"] in own for layer in group["together"]}
    others = [layer for layer in summary["layers"] if layer["name"] not in moving]
    return uncut_layers(rows, summary | {"layers": others}, left_out)


def cells_frame(cells: Mapping[tuple[str, float], Cell], labels: Mapping[str, str], as_percent: bool):
    """One line a cell; where nothing was pruned, nothing was measured."""
    scale = 100 if as_percent else 1
    return pandas.DataFrame(
        [
            {
                _("Layer"): labels[cell.row],
                _("Sparsity"): cell.sparsity,
                _("Pruned"): cell.pruned,
                _("Units"): cell.units,
                _("Metric"): None if cell.value is None else scale * cell.value,
                _("Lowest (95 %)"): None if cell.low is None else scale * cell.low,
                _("Highest (95 %)"): None if cell.high is None else scale * cell.high,
                _("Lost"): None if cell.drop is None else scale * cell.drop,
                _("Examples"): cell.n,
            }
            for cell in cells.values()
        ]
    )
