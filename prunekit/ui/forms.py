"""A form drawn from settings: each one's label, help and limits become the widget that fits it."""

import math

import streamlit as st

from prunekit.core.language import _
from prunekit.core.settings import Setting

FEW = 3  # up to so many choices are shown side by side


def setting_input(setting: Setting, key: str, value=None, **options):
    """Draws one setting and returns its value. The session keeps it under `key`, in the unit that is shown.

    value: what it starts with, by default the setting's own default; a fraction with `percent` is typed as a
    percentage. `options` are handed to the widget.
    """
    options = {"persist_state": "session"} | options
    if key not in st.session_state:
        fill(setting, key, setting.default if value is None else value)
    label, help = _(setting.label), _(setting.help)
    if setting.choices:
        return _choice(setting, key, label, help, options)
    if setting.kind is bool:
        return st.toggle(label, key=key, help=help, **options)
    if setting.percent:
        shown = st.number_input(
            _("{label} (%)").format(label=label),
            min_value=100 * (setting.low or 0.0),
            max_value=100.0 * (1.0 if setting.high is None else setting.high),
            step=5.0,
            format="%.6g",
            key=key,
            help=help,
            **options,
        )
        return round(shown / 100, 6)
    number = int if setting.kind is int else float
    return st.number_input(
        label,
        min_value=None if setting.low is None else number(setting.low),
        max_value=None if setting.high is None else number(setting.high),
        step=number(setting.step or _step(setting)),
        format="%d" if number is int else "%g",
        key=key,
        help=help,
        **options,
    )


def fill(setting: Setting, key: str, value) -> None:
    """Puts a value into the session as the widget of the setting wants it; before the widget is drawn."""
    if setting.percent:
        value = round(100.0 * value, 4)
    elif setting.kind in (int, float) and not setting.choices:
        value = setting.kind(value)
    st.session_state[key] = value


def choice_labels(setting: Setting) -> dict:
    """What people read for each of a setting's choices."""
    labels = setting.labels or [str(choice) for choice in setting.choices]
    return {choice: _(label) for choice, label in zip(setting.choices, labels, strict=True)}


def _choice(setting: Setting, key: str, label: str, help: str, options: dict):
    words = choice_labels(setting)
    if st.session_state[key] not in words:
        st.session_state[key] = setting.choices[0]
    draw = {"options": list(words), "format_func": words.get, "key": key, "help": help}
    if len(words) <= FEW:
        return st.segmented_control(label, required=True, **draw, **options)
    return st.selectbox(label, **draw, **options)


def _step(setting: Setting) -> float:
    """A step that suits the size of the default: 0.005 for 0.01."""
    if setting.kind is int:
        return 1
    return 10 ** math.floor(math.log10(setting.default)) / 2 if setting.default else 0.05
