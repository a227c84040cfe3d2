"""The address of the Explore page: read when a session begins there, written when the hand has let go."""

import dataclasses
from urllib.parse import urlencode

import streamlit as st

from prunekit.core.cards import model_card
from prunekit.core.cut_table import CutTable
from prunekit.core.cuts import Cut
from prunekit.core.descriptions import fitting_scorers, scorer_descriptions
from prunekit.core.errors import BadSetting, ComingLater, EngineUnavailable, PrunekitError
from prunekit.core.language import _
from prunekit.core.link import (
    Place,
    own_cuts,
    parameters,
    read_focus,
    read_own_cuts,
    read_side,
    side_parameters,
)
from prunekit.core.torchvision import named_by, torchvision_id
from prunekit.experiments.engine import Pending
from prunekit.ui import address, state
from prunekit.ui.components.again import look_again
from prunekit.ui.engine import ask
from prunekit.ui.panels.sides import Side, bring_side, drop_side, side_a
from prunekit.ui.plain import as_typed
from prunekit.ui.state import Question
from prunekit.ui.tables import table_of


def open_address() -> None:
    """Sets the controls, before they are drawn, to what the address says; once in a session."""
    opened = address.open_controls("explore")
    if opened is None:
        return
    given, place, faults = opened
    st.session_state["view"] = place.view
    st.session_state.pop("cut_rows", None)
    st.session_state["cut"] = Cut(place.sparsity, **place.rule)
    # Cuts of single rows wait for the rows.
    rows = {name: given.get(name, "") for name in ("own", "focus")}
    st.session_state["address_rest"] = (st.session_state.get("model"), place, rows, faults)
    if side := read_side(given):
        st.session_state["address_side"] = (st.session_state.get("model"), *side)


def open_rows(question: Question, view: str, table: CutTable) -> None:
    """Does the rest, when the rows are known: cuts of their own, locks, the row in focus.

    Not where the visitor has gone on to other rows meanwhile.
    """
    model, place, rows, faults = st.session_state.pop("address_rest", (None, None, {}, []))
    if place is None or (_rows_of(question.model), question.granularity) != (_rows_of(model), place.granularity):
        return
    has_data = not model_card(question.model).lack_of_data()
    if place.scorer not in fitting_scorers(place.granularity, has_data):
        known = scorer_descriptions()
        faults.append(
            _("The criterion {scorer} cannot be used here; the link is shown with {other}.").format(
                scorer=_(known[place.scorer].label), other=_(known[question.scorer].label)
            )
        )
    overrides, locked, focus = {}, frozenset(), state.focus()
    if rows["own"]:
        try:
            overrides, locked = read_own_cuts(rows["own"], table.names, table.units)
        except BadSetting as error:
            faults.append(str(error))
    try:
        focus = read_focus(rows["focus"], table.names) or focus
    except BadSetting as error:
        faults.append(str(error))
    state.move_cut(dataclasses.replace(state.cut(), overrides=overrides, locked=locked), focus)
    if faults:
        st.session_state["address_faults"] = (_view_now(question, view), faults)


def open_side(model: str) -> None:
    """Sets aside what the address says was set aside, when its scores are known; looks again until they are."""
    side = side_a(model)
    if side and side.key != side.question.key:  # of weights or data that others have taken the place of
        drop_side(model)
        st.session_state["address_side"] = (model, *read_side(side.address))
    awaited = _awaited_side(model)
    if awaited is None:
        return
    place, own = awaited
    if side_a(model):  # the visitor was faster
        del st.session_state["address_side"]
        return
    question = Question(model, place.scorer, dict(place.knobs), place.granularity)
    try:
        found = ask("exploration", *question.arguments(), patience=0.3)
        if isinstance(found, Pending):
            look_again(0.5 if found.state != "off" else 0, key="again_side")
            return
        table = table_of(question.key, found["table"])
        overrides, locked = read_own_cuts(own, table.names, table.units) if own else ({}, frozenset())
    except (EngineUnavailable, ComingLater):  # it may be back at the next look
        look_again(1.0, key="again_side")
        return
    except PrunekitError:  # a criterion that this model has no scores of, or cuts of another version
        del st.session_state["address_side"]
        return
    del st.session_state["address_side"]
    cut = Cut(place.sparsity, overrides=overrides, locked=locked, **place.rule)
    bring_side(Side.of(question, cut, table, found["rows"]))


def _awaited_side(model: str) -> tuple[Place, str] | None:
    """What the address said was set aside, and its own cuts, until its scores are known."""
    of, *side = st.session_state.get("address_side", (None,))
    return tuple(side) if of == model else None


def say_faults(question: Question, view: str) -> None:
    """What could not be taken over from a link, for as long as the page shows what came of it."""
    of, faults = st.session_state.get("address_faults", (None, []))
    if of == _view_now(question, view):
        st.warning(as_typed(" ".join(faults)), icon=":material/link_off:")
    else:
        st.session_state.pop("address_faults", None)


def write_address(question: Question, view: str, table: CutTable, side: Side | None = None) -> str:
    """Puts what is on the page into its address, unless the hand is still moving; the parameters, encoded.

    side: the cut that was set aside, if there is one.
    """
    cut, focus = state.cut(), state.focus()
    place = Place(question.scorer, question.knobs, question.granularity, view=view, sparsity=cut.sparsity, **cut.rule)
    focus = "" if table.names[:1] == (focus,) else focus
    now = {"model": question.model} | parameters(place, own_cuts(cut, table.names, table.units), focus)
    if side:
        now |= side.address
    elif awaited := _awaited_side(question.model):  # a reload meanwhile does not lose it
        now |= side_parameters(*awaited)
    if state.settled():
        address.put(now)
    return urlencode(now)


def _rows_of(model: str) -> str:
    """The same for models with the same rows: a network is built alike with published weights and without."""
    named = named_by(model)
    return torchvision_id(named[0]) if named else model


def _view_now(question: Question, view: str) -> tuple:
    return question.key, view, str(state.cut().to_plain())
