"""From what each row can lose to a cut of them all: what it would take away, and what it really costs."""

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from prunekit.core.amounts import loss_text, metric_text
from prunekit.core.cards import ModelCard
from prunekit.core.cut_table import CutTable
from prunekit.core.cuts import TARGETS, ZEROED, Cut
from prunekit.core.errors import PrunekitError
from prunekit.core.language import _
from prunekit.core.sensitivity import Curves, added_up, allocation, keeping
from prunekit.experiments.engine import Pending
from prunekit.ui import frame, state
from prunekit.ui.forms import settle
from prunekit.ui.panels.controls import unit_words
from prunekit.ui.panels.numbers import Outlook, Tile, numbers_line
from prunekit.ui.panels.preview import ask_preview
from prunekit.ui.plain import show_error
from prunekit.ui.state import Question


@dataclass(frozen=True)
class Allocated:
    """The sparsity of each row that is cut, what the rows lose one by one, and of the whole cut the answer of the
    preview, or Pending.

    searched: None as long as no search was asked for, else whether there is a cut that keeps the allowed loss.
    """

    sparsities: Mapping[str, float]
    alone: float
    whole: dict | Pending
    searched: bool | None = None

    @property
    def cut(self) -> Cut:
        return Cut(0.0, overrides=dict(self.sparsities))

    @property
    def lost(self) -> float | None:
        """What the whole cut costs; None as long as that is not measured."""
        return None if isinstance(self.whole, Pending) else self.whole["baseline"] - self.whole["value"]


def allocated(question: Question, table: CutTable, curves: Curves, card: ModelCard) -> Allocated | None:
    """The cut that was asked for, if one was; where it cannot be measured, None when that has been said."""
    if st.session_state.get("allocation") != question.key or not any(curves.values()):
        return None
    allowed, target = _allowed(card), _target(question)
    try:
        if st.session_state.get("allocation_search") == _search_of(question, card):
            return _searched(question, table, curves, allowed, target)
        return _of(question, curves, _allocation(question, table, curves, allowed, target))
    except PrunekitError as error:
        show_error(error)
        return None


def allocation_panel(
    question: Question, table: CutTable, card: ModelCard, found: Allocated | None, is_whole: bool, measuring: bool
) -> float:
    """Draws what is asked, and what was found. In how many seconds to look again; 0 where nothing is under way.

    is_whole: whether every row was measured at every sparsity; measuring: whether more of it is under way.
    """
    _asked(question, card, found, measuring)
    if found is None:
        return 0.0
    numbers_line(Outlook.of(table, found.cut), unit_words(question.granularity), *_costs(found, card))
    if not is_whole:
        st.caption(_("Only what is measured counts: rows that are not stay whole."))
    if isinstance(found.whole, Pending):
        return 0.3 if found.whole.state != "off" else 0.0
    _verdict(question, card, found)
    if found.searched and found.sparsities:
        st.caption(_("Found by a search: the rows are allowed less than you said, so that together they keep to it."))
    if found.sparsities:
        _ways_on(question, found.cut)
    return 0.0


def _asked(question: Question, card: ModelCard, found: Allocated | None, measuring: bool) -> None:
    percent = card.task.percent
    targets = [name for name in TARGETS if name != "bytes" or question.granularity not in ZEROED]
    settle(targets, "allocation_target")
    st.session_state.setdefault("allowed_loss", 1.0 if percent else 0.01)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        label = _("Lose at most (points)") if percent else _("Lose at most")
        step, most = (0.5, 100.0) if percent else (0.01, 1.0)
        st.number_input(
            label, 0.0, most, step=step, format="%g", key="allowed_loss", width=170, persist_state="session"
        )
        st.selectbox(
            _("and prune the most"),
            targets,
            format_func=lambda name: _(TARGETS[name]),
            key="allocation_target",
            width=250,
            persist_state="session",
        )
        if found is None:
            st.button(
                _("Make a cut of it"),
                key="allocate",
                type="primary",
                icon=":material/content_cut:",
                disabled=measuring,
                help=_("When the measurement is over, or stopped.") if measuring else None,
                on_click=_ask_for,
                args=(question,),
            )


def _costs(found: Allocated, card: ModelCard) -> list[Tile]:
    percent, lost = card.task.percent, found.lost
    alone = Tile(
        _("Row by row"),
        loss_text(found.alone, percent),
        _("lost, added up"),
        _("The losses of the rows that are cut, each measured with everything else left alone."),
    )
    label = _("The whole cut really costs")
    if lost is None:
        return [alone, Tile(label, "…", found.whole.sentence, tone="wide wait")]
    value, low, high, baseline = (metric_text(found.whole[k], percent) for k in ("value", "low", "high", "baseline"))
    note = _("{metric} {value} ({low}–{high}), was {baseline}").format(
        metric=_(card.task.metric_label), value=value, low=low.removesuffix(" %"), high=high, baseline=baseline
    )
    hint = _("Measured on the same validation examples, with all rows cut together and before any fine-tuning.")
    return [alone, Tile(label, loss_text(lost, percent), note, hint, tone="wide")]


def _verdict(question: Question, card: ModelCard, found: Allocated) -> None:
    if found.searched is False:
        st.warning(
            _("No cut that these measurements allow keeps that loss: together the rows always lose more."),
            icon=":material/search_off:",
        )
    elif not found.sparsities:
        st.info(_("No row can lose a tenth of its units at that price; allow more."), icon=":material/block:")
    elif found.searched is None and found.lost > _allowed(card) + 1e-9:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(
                _("Together the rows lose more than one by one: what one leaves over, another would have needed."),
                width="content",
            )
            st.button(
                _("Search for a cut that keeps it"),
                key="allocation_search_button",
                icon=":material/search:",
                on_click=_search,
                args=(question, card),
                help=_("Allows the rows less until the whole cut, measured, loses no more than you said."),
            )


def _ways_on(question: Question, cut: Cut) -> None:
    with st.container(horizontal=True, gap="small"):
        explored = st.button(
            _("Open in Explore"),
            key="allocation_explore",
            icon=":material/tune:",
            on_click=state.bring_cut,
            args=(question, cut),
        )
        if explored:
            st.switch_page(frame.page("explore"), query_params={"model": question.model})
        if st.button(_("Prune with this cut"), key="allocation_prune", icon=":material/arrow_forward:"):
            state.hand_on(state.recipe_of(question, cut))
            st.switch_page(frame.page("prune"), query_params={"model": question.model})


def _allocation(question: Question, table: CutTable, curves: Curves, allowed: float, target: str) -> dict:
    """The allocation, kept for the next look: they come three times a second while something is measured."""
    subject = (question.key, sum(map(len, curves.values())))
    if st.session_state.get("allocations", {}).get("of") != subject:
        st.session_state["allocations"] = {"of": subject}
    kept = st.session_state["allocations"]
    if (allowed, target) not in kept:
        kept[allowed, target] = allocation(table, curves, allowed, target)
    return kept[allowed, target]


def _of(question: Question, curves: Curves, sparsities: Mapping[str, float], searched: bool | None = None) -> Allocated:
    cut = Cut(0.0, overrides=dict(sparsities))
    return Allocated(sparsities, added_up(curves, sparsities), ask_preview(question, cut), searched)


def _searched(question: Question, table: CutTable, curves: Curves, allowed: float, target: str) -> Allocated:
    """The cut that a search finds; each look goes over what is known already."""

    def trial(allowance: float) -> Allocated:
        return _of(question, curves, _allocation(question, table, curves, allowance, target), searched=True)

    best = keeping(allowed, trial, lambda found: found.lost)
    if best and (best.sparsities or best.lost is None):
        return best
    return _of(question, curves, {}, searched=False)


def _allowed(card: ModelCard) -> float:
    """In the metric's own unit."""
    shown = st.session_state.get("allowed_loss", 1.0 if card.task.percent else 0.01) or 0.0
    return shown / 100 if card.task.percent else shown


def _target(question: Question) -> str:
    target = st.session_state.get("allocation_target", "sparsity")
    return "sparsity" if target == "bytes" and question.granularity in ZEROED else target


def _search_of(question: Question, card: ModelCard) -> tuple:
    return question.key, _allowed(card), _target(question)


def _ask_for(question: Question) -> None:
    st.session_state["allocation"] = question.key


def _search(question: Question, card: ModelCard) -> None:
    st.session_state["allocation_search"] = _search_of(question, card)
