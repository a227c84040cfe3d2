"""Widgets drawn from settings."""

from streamlit.testing.v1 import AppTest


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
    assert (field.value, field.min, field.max) == (25, 0, 100)
    field.set_value(40.0).run()
    assert at.session_state["said"]["share"] == 0.4


def test_limits_and_words_come_from_the_setting():
    at = AppTest.from_function(form).run()
    assert (at.number_input(key="form.epochs").max, at.number_input(key="form.epochs").help) == (10, "Passes.")
    assert at.toggle(key="form.flip").label == "Flip"
    assert at.segmented_control(key="form.way").options == ["first", "second"]
