"""Two cuts side by side: A, set aside with its numbers, beside B, the one that is under the hand."""

import contextlib
import dataclasses
from dataclasses import dataclass

import pandas
import streamlit as st

from prunekit.core.amounts import metric_text, percent, spread_text, whole
from prunekit.core.cards import ModelCard
from prunekit.core.cut_table import CutTable
from prunekit.core.cuts import Cut
from prunekit.core.descriptions import scorer_descriptions
from prunekit.core.errors import PrunekitError
from prunekit.core.language import _
from prunekit.core.link import Place, own_cuts, side_parameters
from prunekit.core.recipe import Recipe, bounds_in_words
from prunekit.core.settings import in_words, settings_of
from prunekit.experiments.engine import Pending
from prunekit.ui import state
from prunekit.ui.components.again import look_again
from prunekit.ui.engine import ask
from prunekit.ui.forms import choice_labels
from prunekit.ui.panels.controls import unit_words
from prunekit.ui.panels.numbers import Outlook, Tile
from prunekit.ui.panels.preview import ask_preview, known_preview
from prunekit.ui.plain import as_typed, show_error
from prunekit.ui.state import Question


@dataclass(frozen=True)
class Side:
    """A cut and the question whose scores it is of, with its numbers as they were: nothing is computed again.

    key: of the question when it was asked; rows: for each row its layer, its units that are kept, and all its units;
    address: parameters that bring it back.
    """

    question: Question
    key: str
    cut: Cut
    outlook: Outlook
    rows: tuple[tuple[str, int, int], ...]
    address: dict[str, str]
    preview: dict | None = None

    @classmethod
    def of(cls, question: Question, cut: Cut, table: CutTable, rows: list[dict]) -> "Side":
        """rows: for each row of the table a dict with its layer."""
        outlook = Outlook.of(table, cut)
        counts = zip(rows, outlook.kept, table.units, strict=True)
        kept = tuple((row["layer"], int(k), int(n)) for row, k, n in counts)
        place = Place(question.scorer, question.knobs, question.granularity, sparsity=cut.sparsity, **cut.rule)
        address = side_parameters(place, own_cuts(cut, table.names, table.units))
        return cls(question, question.key, cut, outlook, kept, address, known_preview(question, cut))

    def words(self) -> str:
        """What kind of cut it is: criterion with its knobs, granularity, scope, sparsity."""
        description = scorer_descriptions()[self.question.scorer]
        knobs = [knob for knob in description.knobs if self.question.knobs.get(knob.name, knob.default) != knob.default]
        chosen = [f"{_(knob.label)} {in_words(knob, self.question.knobs[knob.name])}" for knob in knobs]
        scopes = choice_labels(next(s for s in settings_of(Recipe) if s.name == "scope"))
        words = [_(description.label), *chosen, unit_words(self.question.granularity), scopes[self.cut.scope]]
        words += bounds_in_words(self.cut.round_to, self.cut.floor)
        return " · ".join([*words, percent(self.cut.sparsity)])


def side_a(model: str) -> Side | None:
    """The side that was set aside for a model, if there is one."""
    return st.session_state.get("sides", {}).get(model)


def bring_side(side: Side) -> None:
    """Makes a side the one that was set aside for its model."""
    st.session_state.setdefault("sides", {})[side.question.model] = side


def drop_side(model: str) -> None:
    """There is no side of a model any more."""
    st.session_state.get("sides", {}).pop(model, None)


def keep_button(question: Question, table: CutTable, rows: list[dict]) -> None:
    """The button that sets the present cut aside."""
    st.button(
        _("Keep as A"),
        key="keep_a",
        type="tertiary",
        help=_("Sets this cut aside as A. The numbers then show it beside the cut that you go on with, B."),
        on_click=_keep,
        args=(question, table, rows),
    )


def side_line(side: Side, question: Question, table: CutTable, rows: list[dict]) -> None:
    """What A is, and what can be done with it."""
    with st.container(key="side_a", horizontal=True, vertical_alignment="center", gap="small"):
        st.badge("A", color="blue")
        st.markdown(as_typed(side.words()), width="content")
        st.caption(_("B is the cut on this page."), width="content")
        st.space("stretch")
        swap = _("Puts A on the page, with its criterion and granularity, and sets the present cut aside.")
        st.button(
            _("Swap"),
            key="swap_a",
            type="tertiary",
            icon=":material/swap_horiz:",
            help=swap,
            on_click=_swap,
            args=(side, question, table, rows),
        )
        st.button(
            _("Drop A"),
            key="drop_a",
            type="tertiary",
            icon=":material/close:",
            on_click=drop_side,
            args=(question.model,),
        )


def preview_beside(tile: Tile, side: Side, question: Question, cut: Cut, card: ModelCard) -> tuple[Side, Tile]:
    """The tile of B's preview with A's in it, and the difference where there is one to speak of; and A with what came.

    A may have been set aside before its preview was there. It is asked for when B's has come: that is the one under
    the hand.
    """
    if card.lack_of_data():
        return side, tile
    b, found = known_preview(question, cut), side.preview
    if found is None and b is not None:
        with contextlib.suppress(PrunekitError):
            found = ask_preview(side.question, side.cut)
    waits = isinstance(found, Pending)
    look_again(0.35 if waits else 0, key="again_a")
    if found is None or waits:
        return side, dataclasses.replace(tile, beside=_("A …") if waits else _("A was not previewed"))
    if side.preview is None:
        side = dataclasses.replace(side, preview=found)
        bring_side(side)
    beside = _("A {value}").format(value=metric_text(found["value"], card.task.percent))
    if b is not None:
        beside = f"{beside}, {_difference(found, b, card.task.percent)}"
    return side, dataclasses.replace(tile, beside=beside)


def sides_by_layer(side: Side, b: Outlook, rows: list[dict], table: CutTable) -> None:
    """How much of each layer A and B keep, as a table."""
    now = [(row["layer"], int(k), int(n)) for row, k, n in zip(rows, b.kept, table.units, strict=True)]
    st.dataframe(
        sides_frame(side.rows, now),
        hide_index=True,
        placeholder="–",
        column_config={
            "layer": st.column_config.TextColumn(_("Layer"), pinned=True),
            "a": st.column_config.ProgressColumn(_("A keeps"), format="percent", min_value=0, max_value=1),
            "a_count": _("A: units"),
            "b": st.column_config.ProgressColumn(_("B keeps"), format="percent", min_value=0, max_value=1),
            "b_count": _("B: units"),
            "more": st.column_config.NumberColumn(
                _("B − A (points)"), format="%+.1f", help=_("How much more of the layer B keeps than A.")
            ),
        },
    )


def where_they_disagree(side: Side, question: Question, cut: Cut, row_count: int) -> None:
    """Which units both cuts keep and which only one of them, layer by layer, and how alike they are ranked."""
    if side.question.granularity != question.granularity:
        st.caption(_("A and B cut different things: whether they keep the same ones cannot be said."))
        return
    from prunekit.reports import agreement  # with plotly: not before somebody looks

    told = [(list(one.arguments()[1:]), c.to_plain()) for one, c in ((side.question, side.cut), (question, cut))]
    try:
        rows = ask("agreement", question.model, *told[0], *told[1], patience=0.3)
    except PrunekitError as error:
        show_error(error)
        return
    look_again(0.4 if isinstance(rows, Pending) else 0, key="again_agreement")
    if isinstance(rows, Pending):
        st.skeleton(height=agreement.AROUND + agreement.BAR * row_count)
        return
    st.markdown(as_typed(agreement.in_words(rows, unit_words(question.granularity))))
    st.plotly_chart(agreement.figure_of(rows), key="agreement", config={"displayModeBar": False})


def sides_frame(a: tuple[tuple[str, int, int], ...], b: list[tuple[str, int, int]]) -> pandas.DataFrame:
    """Layer by layer what two sides keep: as a share of their own units, as counts, and the difference in points."""
    of_a, of_b = ({layer: (kept, units) for layer, kept, units in rows} for rows in (a, b))
    layers = list(dict.fromkeys([*of_b, *of_a]))
    frame = pandas.DataFrame({"layer": layers})
    for name, of in (("a", of_a), ("b", of_b)):
        shares = [of[layer][0] / of[layer][1] if layer in of and of[layer][1] else None for layer in layers]
        frame[name] = pandas.array(shares, dtype="Float64")
        frame[f"{name}_count"] = [
            _("{kept} of {units}").format(kept=whole(of[layer][0]), units=whole(of[layer][1])) if layer in of else "–"
            for layer in layers
        ]
    frame["more"] = 100 * (frame["b"] - frame["a"])
    return frame[["layer", "a", "a_count", "b", "b_count", "more"]]


def _difference(a: dict, b: dict, as_percent: bool) -> str:
    change = b["value"] - a["value"]
    if b["value"] == a["value"]:
        return _("the same")
    if a["low"] <= b["value"] <= a["high"] or b["low"] <= a["value"] <= b["high"]:
        return _("no clear difference")
    size = spread_text(abs(change), as_percent, 1)
    size = _("{points} points").format(points=size) if as_percent else size
    return (_("B {size} higher") if change > 0 else _("B {size} lower")).format(size=size)


def _keep(question: Question, table: CutTable, rows: list[dict]) -> None:
    bring_side(Side.of(question, state.cut(), table, rows))


def _swap(side: Side, question: Question, table: CutTable, rows: list[dict]) -> None:
    _keep(question, table, rows)
    state.bring_cut(side.question, side.cut)
