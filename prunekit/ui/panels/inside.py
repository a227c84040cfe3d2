"""Look inside the layer in focus: filters and their answers, kept and pruned, or its weights under the mask."""

import numpy as np
import streamlit as st

from prunekit.core.amounts import whole
from prunekit.core.cards import ModelCard
from prunekit.core.cut_table import CutTable
from prunekit.core.cuts import LANES, ZEROED, Cut
from prunekit.core.errors import PrunekitError
from prunekit.core.language import _
from prunekit.experiments.engine import Pending
from prunekit.reports import mosaic
from prunekit.ui import state
from prunekit.ui.components.again import look_again
from prunekit.ui.engine import ask
from prunekit.ui.panels.controls import unit_words
from prunekit.ui.plain import as_typed, show_error
from prunekit.ui.state import Question

EXAMPLES = 1000  # of the previews, one of which is shown to the layer


def look_inside(question: Question, table: CutTable, cut: Cut, kept: np.ndarray, card: ModelCard) -> None:
    """The panel; the engine is asked when somebody opens it."""
    row = state.focus()
    if row not in table.names:
        return
    with st.expander(
        _("Inside the layer in focus"), icon=":material/grid_view:", key="inside", on_change="rerun"
    ) as panel:
        if not panel.open:
            return
        st.markdown(f"##### {as_typed(row)}")
        example = 0
        if question.granularity == "channel" and not card.lack_of_data():
            help = _("Which of the validation examples of the preview the layer is shown.")
            example = (
                st.number_input(
                    _("Example"), 1, EXAMPLES, key="inside_example", width=150, help=help, persist_state="session"
                )
                - 1
            )
        try:
            # What goes first is the same for all scopes but those of neighbours.
            scope = cut.scope if cut.scope in LANES else "layer"
            asked = ("inside", *question.arguments(), row, example, scope)
            found = ask(*asked, lane="preview", patience=0.3, queue="inside")
        except PrunekitError as error:
            show_error(error)
            return
        look_again(0.4 if isinstance(found, Pending) else 0, key="again_inside")
        if isinstance(found, Pending):
            st.skeleton(height=240)
            return
        index = table.names.index(row)
        gone = int(table.units[index] - kept[index])
        if found["ranks"] is None:
            units = unit_words(question.granularity)
            st.caption(_("{n} {units} are too many to draw.").format(n=whole(found["all"]), units=units))
        elif question.granularity in ZEROED:
            _matrix(found, gone, unit_words(question.granularity))
        else:
            _channels(found, gone, card)


def _channels(found: dict, gone: int, card: ModelCard) -> None:
    order = np.argsort(-found["ranks"])  # the most important ones first
    stays = found["ranks"][order] >= gone
    sides = ((_("Kept: {n}"), stays, found["all"] - gone), (_("Pruned: {n}"), ~stays, gone))
    if found["input"] is not None:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.image(mosaic.enlarged(np.rint(255 * found["input"]).astype(np.uint8), 96))
            st.markdown(_said_of(found, card))
    drawn = False
    for title, images in (
        (_("Filters"), found["filters"]),
        (_("What they answer to this example"), found["maps"]),
    ):
        if images is None:
            continue
        drawn = True
        st.markdown(f"**{title}**")
        colours = mosaic.painted(images[order])
        for side, which, count in sides:
            st.caption(side.format(n=whole(count)))
            if which.any():
                st.image(mosaic.mosaic(colours[which], like=len(order)))
    if not drawn:
        st.caption(_("The units of this layer are single numbers: there is no image of them."))
        return
    words = _("Most important first. Green is above zero, orange below.")
    if found["filters"] is not None and found["filters"].ndim == 4:
        words += " " + _("Filters are in the colours of their three inputs; grey is zero.")
    if (shown := len(order)) < found["all"]:
        words += " " + _("{n} of {all}, evenly spaced among the scores.").format(n=shown, all=whole(found["all"]))
    st.caption(words)


def _matrix(found: dict, gone: int, units: str) -> None:
    matrix = found["matrix"]
    st.image(mosaic.with_mask(matrix, found["ranks"] >= gone))
    rows, columns = matrix.shape
    words = _(
        "Weights, a row for each output: green above zero, orange below, grey what is pruned ({n} of {all} {units})."
    )
    words = words.format(n=whole(gone), all=whole(found["all"]), units=units)
    if [rows, columns] != found["shape"]:
        words += " " + _("The first {rows} x {columns} of {all_rows} x {all_columns}.").format(
            rows=rows, columns=columns, all_rows=found["shape"][0], all_columns=found["shape"][1]
        )
    st.caption(words)


def _said_of(found: dict, card: ModelCard) -> str:
    if found["target"] is None:
        return ""
    names = [card.classes[found[which]] if card.classes else str(found[which]) for which in ("target", "answer")]
    target, answer = map(as_typed, names)
    if target == answer:
        return _("A **{target}**, and the untouched model says so.").format(target=target)
    return _("A **{target}**; the untouched model takes it for **{answer}**.").format(target=target, answer=answer)
