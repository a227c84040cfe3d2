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

    @property
    def leaves_zeros(self) -> bool:
        """Whether what is cut stays in place as zeros."""
        return self.after["parameters"] == self.before["parameters"] and self.after["nonzero"] != self.before["nonzero"]


@dataclass(frozen=True)
class Tile:
    """One number with its name and what it is to be compared with; `tone` is any of "wide", "old", "wait".

    `beside` is the same number of a cut that was set aside.
    """

    label: str
    value: str
    note: str
    hint: str = ""
    tone: str = ""
    beside: str = ""


def numbers_line(outlook: Outlook, units: str, *more: Tile, a: tuple[Outlook, str] | None = None) -> None:
    """Draws the numbers, and `more` behind them; `units` says what is counted ("channels").

    a: the outlook and the units of a cut that was set aside, to be shown beside this one.
    """
    before, after = outlook.before, outlook.after
    kept = int(outlook.kept.sum())
    zeros = outlook.leaves_zeros
    # Where one of two cuts leaves zeros, what the two have in common is what is not zero.
    nonzero = zeros or (a is not None and a[0].leaves_zeros)
    quantity = "nonzero" if nonzero else "parameters"
    tiles(
        [
            Tile(
                _("Sparsity"),
                percent(outlook.sparsity),
                _("{kept} of {units} {what} kept").format(kept=whole(kept), units=whole(outlook.units), what=units),
                beside=_sparsity_beside(outlook, units, *a) if a else "",
            ),
            Tile(
                _("Non-zero parameters") if nonzero else _("Parameters"),
                compact(after[quantity]),
                _compared(compact(before[quantity]), after[quantity], before[quantity]),
                beside=_beside(outlook, a[0], quantity, compact) if a else "",
            ),
            Tile(
                _("MACs"),
                compact(after["macs"]),
                _compared(compact(before["macs"]), after["macs"], before["macs"]),
                beside=_beside(outlook, a[0], "macs", compact) if a else "",
            ),
            Tile(
                _("Theoretical speedup"),
                times(before["macs"], after["macs"]),
                _("MACs before / after"),
                _("Real time is measured by a run; zeros that stay in place save no time on most machines."),
                beside=_("A {value}").format(value=times(a[0].before["macs"], a[0].after["macs"])) if a else "",
            ),
            Tile(
                _("Predicted size"),
                size(after["bytes"]),
                _("zeros take as much room")
                if zeros
                else _compared(size(before["bytes"]), after["bytes"], before["bytes"]),
                beside=_beside(outlook, a[0], "bytes", size) if a else "",
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
            f"<strong>{html.escape(tile.value)}</strong><small>{html.escape(tile.note)}</small>"
            f"{f'<em>{html.escape(tile.beside)}</em>' if tile.beside else ''}</div>"
            for tile in all_tiles
        )
        + "</div>"
    )


def _compared(text: str, after: int, before: int) -> str:
    if after == before:
        return _("of {before}, unchanged").format(before=text)
    return _("of {before}, {share} gone").format(before=text, share=percent(1 - after / before))


def _sparsity_beside(b: Outlook, units: str, a: Outlook, units_of_a: str) -> str:
    if units_of_a != units:
        return _("A {value} of {what}").format(value=percent(a.sparsity), what=units_of_a)
    points = 100 * (b.sparsity - a.sparsity)
    if abs(points) < 0.05:
        return _("A {value}, the same").format(value=percent(a.sparsity))
    sentence = _("A {value}, B {points} points more") if points > 0 else _("A {value}, B {points} points less")
    return sentence.format(value=percent(a.sparsity), points=f"{abs(points):.1f}")


def _beside(b: Outlook, a: Outlook, quantity: str, text) -> str:
    """A's amount of a quantity, and how much more or less B has of it."""
    of_a, of_b = a.after[quantity], b.after[quantity]
    if of_a == of_b or not of_a:
        return (_("A {value}, the same") if of_a == of_b else _("A {value}")).format(value=text(of_a))
    sentence = _("A {value}, B {share} more") if of_b > of_a else _("A {value}, B {share} less")
    return sentence.format(value=text(of_a), share=percent(abs(of_b / of_a - 1)))
