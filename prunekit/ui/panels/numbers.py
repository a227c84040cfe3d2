"""The line of numbers above the picture: what the cut leaves, before and after."""

import html
from dataclasses import dataclass

import numpy as np
import streamlit as st

from prunekit.core.amounts import compact, percent, size, times, whole
from prunekit.core.cut_table import CutTable
from prunekit.core.cuts import Cut
from prunekit.core.language import _


@dataclass(frozen=True)
class Outlook:
    """What a cut leaves: kept units of each row, and the totals (see QUANTITIES) before and after."""

    kept: np.ndarray
    units: int
    sparsity: float
    before: dict[str, int]
    after: dict[str, int]

    @classmethod
    def of(cls, table: CutTable, cut: Cut) -> "Outlook":
        kept = table.kept(cut)
        before, after = table.costs.totals(table.units), table.costs.totals(kept)
        return cls(kept, int(table.units.sum()), table.sparsity(kept), before, after)


@dataclass(frozen=True)
class Tile:
    """One number with its name and what it is to be compared with; `tone` is any of "wide", "old", "wait"."""

    label: str
    value: str
    note: str
    hint: str = ""
    tone: str = ""


def numbers_line(outlook: Outlook, units: str, *more: Tile) -> None:
    """Draws the numbers, and `more` behind them; `units` says what is counted ("channels")."""
    before, after = outlook.before, outlook.after
    kept = int(outlook.kept.sum())
    zeros = after["parameters"] == before["parameters"] and after["nonzero"] != before["nonzero"]
    quantity = "nonzero" if zeros else "parameters"
    tiles(
        [
            Tile(
                _("Sparsity"),
                percent(outlook.sparsity),
                _("{kept} of {units} {what} kept").format(kept=whole(kept), units=whole(outlook.units), what=units),
            ),
            Tile(
                _("Non-zero parameters") if zeros else _("Parameters"),
                compact(after[quantity]),
                _compared(compact(before[quantity]), after[quantity], before[quantity]),
            ),
            Tile(_("MACs"), compact(after["macs"]), _compared(compact(before["macs"]), after["macs"], before["macs"])),
            Tile(
                _("Theoretical speedup"),
                times(before["macs"], after["macs"]),
                _("MACs before / after"),
                _("Real time is measured by a run; zeros that stay in place save no time on most machines."),
            ),
            Tile(
                _("Predicted size"),
                size(after["bytes"]),
                _("zeros take as much room")
                if zeros
                else _compared(size(before["bytes"]), after["bytes"], before["bytes"]),
            ),
            *more,
        ]
    )


def tiles(all_tiles: list[Tile]) -> None:
    """Draws tiles in one element: a dozen elements would take three times as long to arrive."""
    st.html(
        '<div class="pk-tiles">'
        + "".join(
            f'<div class="pk-tile {tile.tone}" title="{html.escape(tile.hint)}"><span>{html.escape(tile.label)}</span>'
            f"<strong>{html.escape(tile.value)}</strong><small>{html.escape(tile.note)}</small></div>"
            for tile in all_tiles
        )
        + "</div>"
    )


def _compared(text: str, after: int, before: int) -> str:
    if after == before:
        return _("of {before}, unchanged").format(before=text)
    return _("of {before}, {share} gone").format(before=text, share=percent(1 - after / before))
