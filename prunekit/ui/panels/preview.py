"""The accuracy preview: the metric on a part of the validation set, before any fine-tuning."""

import streamlit as st

from prunekit.core.amounts import metric_text, whole
from prunekit.core.cards import ModelCard
from prunekit.core.cuts import Cut
from prunekit.core.data_folder import FULL_SETS, has_full_set
from prunekit.core.errors import EngineUnavailable, PrunekitError, StoreUnavailable
from prunekit.core.language import _
from prunekit.experiments.engine import Pending
from prunekit.reports import predictions
from prunekit.ui.components.again import look_again
from prunekit.ui.engine import ask
from prunekit.ui.panels.numbers import Tile
from prunekit.ui.runs import all_runs
from prunekit.ui.state import Question


def preview_tile(question: Question, cut: Cut, card: ModelCard, settled: bool) -> Tile:
    """The tile; the engine is asked for it once the cut is settled and the page has been painted.

    While the engine works the tile keeps the last value, marked as that of another cut, and looks again by itself.
    """
    if card.lack_of_data():
        return Tile(_label(card), "–", _("no data set to measure it on"), card.lack_of_data(), tone="wide wait")
    state = st.session_state
    key = _key(question, cut)
    looks = state["preview_looks"] = state.get("preview_looks", 0) + 1
    known = _last(question)
    pending, asked = None, state.pop("preview_asked", False)
    if known[0] != key and settled:
        if looks == 1:
            pending = _("Starting.")  # the picture first
        elif asked or state.get("auto_preview", True) or state.get("preview_key") == key:
            state["preview_key"] = key
            pending = _look_for("preview", question, cut)
            known = _last(question)
    # Always there, so that a move costs the browser no element that comes and goes.
    look_again(0.35 if pending else 0, key="again_preview")
    return _tile(known, key, pending, card)


def recalibrated_tile(question: Question, cut: Cut, card: ModelCard) -> Tile:
    """The same with batch norm measured anew; asked for when the plain preview of the cut has come."""
    key, pending = _key(question, cut), None
    if known_preview(question, cut) and _last(question, "recalibrated")[0] != key:
        pending = _look_for("recalibrated", question, cut)
    look_again(0.35 if pending else 0, key="again_recalibrated")
    known = _last(question, "recalibrated")
    return _tile(known, key, pending, card, _("With batch norm measured anew"), _recalibrated_hint())


def _look_for(kind: str, question: Question, cut: Cut) -> str | None:
    """Asks for a preview of a kind ("preview", "recalibrated") and keeps what came of it; or why to look again."""
    try:
        answer = ask_preview(question, cut, recalibrate=kind == "recalibrated")
    except EngineUnavailable as error:
        return str(error)  # it may be back at the next look
    except PrunekitError as error:
        answer = str(error)
    if isinstance(answer, Pending):
        return answer.sentence
    st.session_state[kind] = (_key(question, cut), answer)
    return None


def ask_preview(question: Question, cut: Cut, recalibrate: bool = False) -> dict | Pending:
    """Without patience: neither these numbers nor those of the next move are to wait for a preview.

    recalibrate: with batch norm measured anew; that takes no plain preview's place.
    """
    more, queue = ((True,), "recalibrated") if recalibrate else ((), "")
    return ask("preview", *question.arguments(), cut.to_plain(), *more, lane="preview", patience=0.0, queue=queue)


def known_preview(question: Question, cut: Cut) -> dict | None:
    """The answer for a cut, where it is the one that was asked last and has come."""
    held, answer = _last(question)
    return answer if isinstance(answer, dict) and held == _key(question, cut) else None


def how_previews_did(card: ModelCard) -> str:
    """How well the previews of a model have told which runs end higher, in a sentence; "" where nothing is known."""
    if card.lack_of_data():
        return ""
    full = has_full_set(card.data) or card.data not in FULL_SETS
    try:
        return predictions.in_words(predictions.rank_correlation(all_runs(), card.id, full))
    except StoreUnavailable:  # the pages that are about runs say so
        return ""


def ask_for_preview() -> None:
    """What the preview button does."""
    st.session_state["preview_asked"] = True


def _key(question: Question, cut: Cut) -> tuple[str, str, str]:
    return question.model, question.key, str(cut.to_plain())


def _last(question: Question, kind: str = "preview") -> tuple:
    """The key of the last preview of this model and its answer, or what went wrong; (None, None) without one."""
    held, answer = st.session_state.get(kind, (None, None))
    return (held, answer) if held and held[0] == question.model else (None, None)


def _label(card: ModelCard) -> str:
    return _("{metric} before fine-tuning").format(metric=_(card.task.metric_label))


def _preview_hint() -> str:
    return _(
        "On {n} validation examples, 95 % interval {low} to {high}; untouched, the model has {baseline} on the same "
        "examples. A preview, not a forecast of what fine-tuning brings back."
    )


def _recalibrated_hint() -> str:
    return _(
        "On the same {n} validation examples, 95 % interval {low} to {high}; untouched {baseline}. The means and "
        "variances of batch norm were measured anew on training examples before; no weight has learnt anything."
    )


def _tile(known: tuple, key: tuple, pending: str | None, card: ModelCard, label: str = "", hint: str = "") -> Tile:
    label, hint = label or _label(card), hint or _preview_hint()
    held, answer = known
    if answer is None or (isinstance(answer, str) and held != key):
        return Tile(label, "…" if pending else "–", pending or _("not asked yet"), tone="wide wait")
    if isinstance(answer, str):
        return Tile(label, "–", answer, tone="wide wait")
    as_percent = card.task.percent
    low, high, n = metric_text(answer["low"], as_percent), metric_text(answer["high"], as_percent), whole(answer["n"])
    hint = hint.format(n=n, low=low, high=high, baseline=metric_text(answer["baseline"], as_percent))
    if held != key:
        note = pending or _("of the cut before")
        return Tile(label, metric_text(answer["value"], as_percent), note, hint, tone="wide old")
    note = _("{low}–{high}, n = {n}, was {baseline}").format(
        low=low.removesuffix(" %"), high=high, n=n, baseline=metric_text(answer["baseline"], as_percent)
    )
    return Tile(label, metric_text(answer["value"], as_percent), note, hint, tone="wide")
