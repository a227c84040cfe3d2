"""The table of layers: edits become cuts, and never hide a newer one."""

import pytest
import streamlit as st

from prunekit.core.cuts import Cut
from prunekit.ui import state
from prunekit.ui.panels import layers
from tests.toy_engine import ToyEngine

NAMES = ("conv1", "conv2")


@pytest.fixture(autouse=True)
def session(monkeypatch):
    """A session of its own for every test."""
    values = {}
    monkeypatch.setattr(st, "session_state", values)
    return values


def edit(session, rows: dict) -> None:
    key = layers._editor_key(state.cut())
    session[key] = {"edited_rows": rows}
    layers._edited(key, NAMES)


def test_a_quarter_typed_for_a_layer_is_its_own_cut(session):
    edit(session, {0: {"own": 25.0}})
    assert state.cut().overrides == {"conv1": 0.25}


def test_an_emptied_cell_follows_the_net_again(session):
    state.move_cut(Cut(0.3, "global", {"conv1": 0.25}))
    edit(session, {0: {"own": None}})
    assert state.cut().overrides == {}


def test_a_ticked_box_locks_and_an_unticked_one_unlocks(session):
    edit(session, {1: {"locked": True}})
    assert state.cut().locked == {"conv2"}
    edit(session, {1: {"locked": False}})
    assert state.cut().locked == frozenset()


def test_the_picture_is_told_of_an_edit(session):
    before = state.revision()
    edit(session, {0: {"own": 25.0}})
    assert state.revision() > before


def test_the_editor_keeps_its_key_through_its_own_edits(session):
    first = layers._editor_key(state.cut())
    edit(session, {0: {"own": 25.0}})
    assert layers._editor_key(state.cut()) == first


def test_an_editor_with_edits_makes_way_when_the_hand_moves_the_cut(session):
    edit(session, {0: {"own": 25.0}})
    old = layers._editor_key(state.cut())
    state.heard_cut(Cut(0.3, "global", {"conv1": 0.5}), "conv1")
    assert layers._editor_key(state.cut()) != old


def test_a_layer_without_a_row_says_why():
    summary = ToyEngine(3).summary("lenet-fashion")
    summary["layers"][1]["reason"] = "It is not of a kind that can be cut."
    summary["groups"][2] |= {"prunable": False, "problem": "Its outputs are the answer."}
    assert layers.uncut_layers([{"layer": "conv1"}], summary, {}) == [
        "conv2: It is not of a kind that can be cut.",
        "conv3: Its outputs are the answer.",
    ]


def test_layers_with_the_same_reason_share_a_line():
    summary = ToyEngine(4).summary("lenet-fashion")
    for layer in summary["layers"][1:3]:
        layer["reason"] = "It is not of a kind that can be cut."
    rows = [{"layer": "conv1"}, {"layer": "conv4"}]
    assert layers.uncut_layers(rows, summary, {}) == ["conv2, conv3: It is not of a kind that can be cut."]
