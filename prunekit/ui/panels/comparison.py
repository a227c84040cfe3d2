"""The chart of runs and the choices above it: which models, against what, measured on which set."""

import pandas as pd
import streamlit as st

from prunekit.core.cards import ModelCard, model_cards
from prunekit.core.language import _
from prunekit.experiments.store import Run
from prunekit.reports.figures import AXES, tradeoff
from prunekit.reports.remarks import remarks
from prunekit.reports.tables import task_of
from prunekit.ui import frame
from prunekit.ui.plain import as_typed

HEIGHT = 440


def compared_models(card: ModelCard, runs: list[Run]) -> list[str]:
    """The chosen model, and others with runs whose metric can be drawn on the same axis, where they are wanted."""
    ran = {run.recipe["model"] for run in runs} - {card.id}
    others = sorted(model for model in ran if task_of(model).metric == card.task.metric)
    if not others:
        return [card.id]
    cards = model_cards()
    more = st.pills(
        _("Beside {model} also show").format(model=_(card.title)),
        others,
        format_func=lambda name: _(cards[name].title) if name in cards else name,
        selection_mode="multi",
        key="other_models",
        persist_state="session",
    )
    return [card.id, *more]


def chart_choices(card: ModelCard, sizes: list[int]) -> tuple[str, str, int | None]:
    """The axis, the split, and the batch size of measured latency, of `sizes`."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        label = _("{metric} against").format(metric=_(card.task.metric_label))
        axis = _one_of(label, {name: _(axis.label) for name, axis in AXES.items()}, "axis")
        batch = None
        if axis == "latency" and len(sizes) > 1:
            batch = _one_of(_("Batch"), {size: str(size) for size in reversed(sizes)}, "batch")
        splits = {"validation": _("validation set"), "test": _("test set: final report")}
        split = _one_of(_("Measured on"), splits, "split")
    if split == "test":
        st.warning(
            _(
                "The test set is for the final report. A run that is chosen by its test result looks better than it "
                "is, for the choice has used the set up: choose on validation, then look here once."
            ),
            icon=":material/lock:",
        )
    return axis, split, batch


def chart_of_runs(table: pd.DataFrame, card: ModelCard, axis: str, split: str, chosen: list[str]) -> None:
    """The trade-off chart, and under it what must be said about it."""
    figure = tradeoff(table, axis, card.task, split, tuple(chosen))
    alt = _("{metric} of each run against {axis}").format(metric=_(card.task.metric_label), axis=_(AXES[axis].label))
    st.plotly_chart(figure, key="tradeoff", height=HEIGHT, alt=alt, config={"displaylogo": False})
    with st.container(gap=None):
        for sentence in remarks(table, axis):
            st.caption(as_typed(sentence))


def no_runs_yet() -> None:
    """What to do when there is nothing to compare."""
    with st.container(border=True, horizontal_alignment="center", gap="small"):
        st.markdown(f"#### {_('No runs of this model yet')}")
        st.markdown(
            _("Each run becomes a point here: what it costs against how well it does, beside the untouched model.")
        )
        st.page_link(frame.page("prune"), label=_("Prune it with a first recipe"), icon=":material/content_cut:")


def _one_of(label: str, words: dict, key: str):
    first = next(iter(words))
    if st.session_state.get(key) not in words:
        st.session_state[key] = first
    return st.segmented_control(
        label, list(words), format_func=words.get, required=True, key=key, persist_state="session"
    )
