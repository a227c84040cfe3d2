"""Rounding and the floor: what is chosen, what it costs in channels and numbers, and what it gains in time."""

import dataclasses

import streamlit as st

from prunekit.core.amounts import compact, percent, whole
from prunekit.core.cards import ModelCard
from prunekit.core.cut_table import CutTable
from prunekit.core.cuts import BOUNDS, Cut
from prunekit.core.language import _
from prunekit.core.recipe import Recipe
from prunekit.core.settings import settings_of
from prunekit.experiments.engine import Pending
from prunekit.ui.engine import ask
from prunekit.ui.forms import setting_input
from prunekit.ui.panels.numbers import Outlook
from prunekit.ui.panels.timing import on_cores, soon, timed
from prunekit.ui.state import Question, floor_key

WIDTH = 320  # pixels
SETTINGS = {s.name: s for s in settings_of(Recipe) if s.name in BOUNDS}
USUAL = {name: s.default for name, s in SETTINGS.items()}


def bounds_popover(granularity: str):
    """Draws the button and what is behind it; the bounds that are chosen, and a place to tell what they do."""
    keys = ({"round_to": "round_to"} if granularity == "channel" else {}) | {"floor": floor_key(granularity)}
    told = USUAL | {name: st.session_state.get(key, USUAL[name]) for name, key in keys.items()}
    # Short, where the line of controls is full: the form of Prune has the words.
    label = " ".join(f"{sign}{told[name]}" for name, sign in (("round_to", "×"), ("floor", "≥")) if told[name] > 1)
    help = _("How many units stay in each layer: a multiple, or at least so many")
    with st.popover(label, icon=":material/rule:", help=help), st.container(width=WIDTH):
        bounds = USUAL | {name: setting_input(SETTINGS[name], key) for name, key in keys.items()}
        return bounds, st.container()


def what_bounds_do(
    question: Question, cut: Cut, bounded: Outlook, table: CutTable, card: ModelCard, units: str
) -> None:
    """What the bounds of a cut change, against the same cut without them; and for channels a button that times it.

    bounded: the outlook of the cut; units: what is counted ("channels").
    """
    if not cut.is_bounded:
        return
    free = Outlook.of(table, dataclasses.replace(cut, **USUAL))
    st.caption(_changes(free, bounded, units))
    if question.granularity == "channel" and (free.kept != bounded.kept).any():
        _time(question, cut, card)


def _changes(free: Outlook, bounded: Outlook, units: str) -> str:
    if (free.kept == bounded.kept).all():
        return _("At this cut the scores alone keep the same {units}.").format(units=units)
    quantity = "nonzero" if bounded.leaves_zeros else "parameters"
    sentence = _(
        "{kept} of {all} {units} stay; by the scores alone it would be {free}. Parameters {parameters} ({more}), "
        "MACs {macs} ({more_macs})."
    )
    return sentence.format(
        kept=whole(int(bounded.kept.sum())),
        all=whole(bounded.units),
        free=whole(int(free.kept.sum())),
        units=units,
        parameters=compact(bounded.after[quantity]),
        more=_change(free.after[quantity], bounded.after[quantity]),
        macs=compact(bounded.after["macs"]),
        more_macs=_change(free.after["macs"], bounded.after["macs"]),
    )


def _change(before: int, after: int) -> str:
    if after == before or not before:
        return _("unchanged")
    sentence = _("{share} more") if after > before else _("{share} less")
    return sentence.format(share=percent(abs(after / before - 1)))


def _time(question: Question, cut: Cut, card: ModelCard) -> None:
    """The button, and the two removed networks timed side by side."""
    timed(
        "time_bounds",
        (question.key, str(cut.to_plain())),
        lambda moment: _measured(question, cut, card.batch_sizes[-1], moment),
        _("Measure what it does to the time"),
    )


def _measured(question: Question, cut: Cut, batch: int, moment: int) -> float:
    """Draws what was measured; see `timed`."""
    # Not as this visitor's: of one's own questions on this lane only the latest is kept, and the preview is one too.
    asked = ("bounds_latency", *question.arguments(), cut.to_plain(), batch, moment)
    found = ask(*asked, lane="preview", queue="bounds")
    if isinstance(found, Pending):
        st.caption(found.sentence)
        return soon(found)
    times = {name: f"{found[name]:.3g}" for name in ("before_ms", "after_ms", "speedup_low", "speedup_high")}
    if found["speedup_low"] <= 1 <= found["speedup_high"]:
        st.markdown(_("**No clear difference** to the scores alone"))
    elif found["speedup"] > 1:
        st.markdown(_("**{speedup:.2f} times as fast** as by the scores alone").format(speedup=found["speedup"]))
    else:
        share = percent(1 / found["speedup"] - 1)
        st.markdown(_("**{share} slower** than by the scores alone").format(share=share))
    sentence = _(
        "Measured here {threads}, batch of {batch}: {before_ms} ms without, {after_ms} ms with. Half of the pairs lie "
        "between {speedup_low} and {speedup_high}."
    )
    st.caption(sentence.format(threads=on_cores(found["threads"]), batch=batch, **times))
    return 0.0
