"""A form drawn from settings: each one's label, help and limits become the widget that fits it."""

import dataclasses
import math
from collections.abc import Iterable, Mapping

import streamlit as st

from prunekit.core.errors import BadSetting
from prunekit.core.language import _
from prunekit.core.settings import Setting, checked
from prunekit.ui.plain import as_typed

FEW = 2  # up to so many choices are shown side by side
# Pixels: of a menu that is to be as narrow as its choices, and of a field for a number, which has no width of its own.
MENU, NUMBER = 140, 130


def setting_input(setting: Setting, key: str, value=None, **options):
    """Draws one setting and returns its value. The session keeps it under `key`, in the unit that is shown.

    value: what it starts with, by default the setting's own default; a fraction with `percent` is typed as a
    percentage. A number outside the limits is refused in one sentence, and the one before comes back.
    `options` are handed to the widget.
    """
    options = {"persist_state": "session"} | options
    if key not in st.session_state:
        fill(setting, key, setting.default if value is None else value)
    label, help = _(setting.label), _(setting.help)
    if setting.choices:
        return _choice(setting, key, label, help, options)
    if setting.kind is bool:
        return st.toggle(label, key=key, help=help, **options)
    shown = _in_percent(setting) if setting.percent else setting
    if options.get("width") == "content":
        options["width"] = NUMBER
    number = st.number_input(
        _(shown.label),
        value=None,  # so that an emptied field is known from a zero; the session has the number
        step=shown.kind(shown.step or _step(shown)),
        format="%.6g" if shown.percent else "%d" if shown.kind is int else "%g",
        key=key,
        help=help,
        # Not min_value and max_value: the widget would show the wrong number and the page go on with the one before.
        on_change=_refuse,
        args=(shown, key),
        **options,
    )
    if refused := st.session_state.pop(f"{key}.refused", None):
        # Not drawn by the callback, where it would take the page's first place.
        st.toast(as_typed(refused), icon=":material/error:")
    st.session_state[f"{key}.before"] = number
    return round(number / 100, 6) if setting.percent else number


def _refuse(setting: Setting, key: str) -> None:
    """Brings the number before back when the one that was typed is outside the limits, or none; the page says why."""
    typed = st.session_state[key]
    try:
        if typed is None:
            raise BadSetting(_("{label} needs a number.").format(label=_(setting.label)))
        checked(setting, typed)
    except BadSetting as error:
        st.session_state[key] = st.session_state[f"{key}.before"]
        st.session_state[f"{key}.refused"] = str(error)


def _in_percent(setting: Setting) -> Setting:
    """The setting of a fraction as one of a percentage."""
    label = _("{label} (%)").format(label=_(setting.label))
    high = 1.0 if setting.high is None else setting.high
    return dataclasses.replace(setting, label=label, low=100 * (setting.low or 0.0), high=100 * high, step=5.0)


def fill(setting: Setting, key: str, value) -> None:
    """Puts a value into the session as the widget of the setting wants it; before the widget is drawn."""
    if setting.percent:
        value = round(100.0 * value, 4)
    elif setting.kind in (int, float) and not setting.choices:
        value = setting.kind(value)
    st.session_state[key] = value


def among(setting: Setting, choices: Iterable) -> Setting:
    """The setting with only some of its choices."""
    labels = dict(zip(setting.choices, setting.labels, strict=True))
    choices = tuple(choices)
    return dataclasses.replace(setting, choices=choices, labels=tuple(labels[choice] for choice in choices))


def choice_labels(setting: Setting) -> dict:
    """What people read for each of a setting's choices."""
    labels = setting.labels or [str(choice) for choice in setting.choices]
    return {choice: _(label) for choice, label in zip(setting.choices, labels, strict=True)}


def _choice(setting: Setting, key: str, label: str, help: str, options: dict):
    words = choice_labels(setting)
    if len(words) <= FEW:
        return one_of(label, words, key, help=help, **options)
    settle(words, key)
    if options.get("width") == "content":
        options["width"] = MENU
    return st.selectbox(label, list(words), format_func=words.get, key=key, help=help, **options)


def one_of(label: str, words: Mapping, key: str, **options):
    """Draws a few choices side by side and returns the one taken, at first the first of them.

    words: choice -> what people read. The session keeps it under `key`; `options` are handed to the widget.
    """
    settle(words, key)
    options = {"persist_state": "session"} | options
    return st.segmented_control(label, list(words), format_func=words.get, required=True, key=key, **options)


def settle(words: Iterable, key: str) -> None:
    """Sees to it that the session has one of `words` under `key`: the first, where it had none of them."""
    if st.session_state.get(key) not in words:
        st.session_state[key] = next(iter(words))


def _step(setting: Setting) -> float:
    """A step that suits the size of the default: 0.005 for 0.01."""
    if setting.kind is int:
        return 1
    return 10 ** math.floor(math.log10(abs(setting.default))) / 2 if setting.default else 0.05
