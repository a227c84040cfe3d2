"""Widgets drawn from settings."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.reading import as_read


def form():
    """A form of one setting of each kind, and what it says."""
    import streamlit as st

    from prunekit.core.settings import Setting
    from prunekit.ui.forms import setting_input

    settings = [
        Setting("share", float, 0.25, "Share", "How much.", 0.0, 1.0, 0.01, percent=True),
        Setting("epochs", int, 3, "Epochs", "Passes.", 0, 10, 1),
        Setting("rate", float, 0.0005, "Rate", "Step.", 1e-7, 10.0),
        Setting("flip", bool, True, "Flip", "Mirror images."),
        Setting("way", str, "b", "Way", "Which.", choices=("a", "b"), labels=("first", "second")),
    ]
    st.session_state["said"] = {s.name: setting_input(s, f"form.{s.name}") for s in settings}


def test_every_setting_starts_at_its_default_and_says_it():
    at = AppTest.from_function(form).run()
    assert at.session_state["said"] == {"share": 0.25, "epochs": 3, "rate": 0.0005, "flip": True, "way": "b"}


def test_a_fraction_is_typed_in_percent():
    at = AppTest.from_function(form).run()
    field = at.number_input(key="form.share")
    assert (field.value, field.label) == (25, "Share (%)")
    field.set_value(40.0).run()
    assert at.session_state["said"]["share"] == 0.4


@pytest.mark.parametrize(
    ("name", "typed", "kept", "sentence"),
    [
        ("share", 500.0, 0.25, "Share (%) must be between 0 and 100, not 500."),
        ("epochs", -1, 3, "Epochs must be between 0 and 10, not -1."),
        ("rate", 11.0, 0.0005, "Rate must be between 1e-07 and 10, not 11."),
    ],
)
def test_a_number_outside_the_limits_is_refused_in_a_sentence_and_the_one_before_comes_back(
    name, typed, kept, sentence
):
    at = AppTest.from_function(form).run()
    at.number_input(key=f"form.{name}").set_value(typed).run()
    assert [as_read(toast.value) for toast in at.toast] == [sentence]
    assert at.session_state["said"][name] == kept
    at.run()
    assert (at.session_state["said"][name], list(at.toast)) == (kept, [])


def test_an_emptied_field_gets_its_number_back_and_does_not_become_a_zero():
    at = AppTest.from_function(form).run()
    at.number_input(key="form.epochs").set_value(None).run()
    assert [as_read(toast.value) for toast in at.toast] == ["Epochs needs a number."]
    assert (at.session_state["said"]["epochs"], at.number_input(key="form.epochs").value) == (3, 3)


def test_the_limits_themselves_are_inside():
    at = AppTest.from_function(form).run()
    at.number_input(key="form.share").set_value(100.0).run()
    at.number_input(key="form.epochs").set_value(0).run()
    assert (at.session_state["said"]["share"], at.session_state["said"]["epochs"]) == (1.0, 0)
    assert not at.toast


def test_words_come_from_the_setting():
    at = AppTest.from_function(form).run()
    assert at.number_input(key="form.epochs").help == "Passes."
    assert at.toggle(key="form.flip").label == "Flip"
    assert at.segmented_control(key="form.way").options == ["first", "second"]
