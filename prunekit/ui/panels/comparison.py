"""The chart of runs and the choices above it: which models, against what, measured on which set."""

import pandas as pd
import streamlit as st

from prunekit.core.cards import ModelCard, model_cards
from prunekit.core.language import _
from prunekit.experiments.runs import STUDY, Run
from prunekit.reports.axes import AXES
from prunekit.reports.figures import ALONE, tradeoff
from prunekit.reports.leads import leads
from prunekit.reports.remarks import missing, remarks
from prunekit.reports.tables import task_of
from prunekit.ui import frame
from prunekit.ui.forms import one_of, settle
from prunekit.ui.panels import chosen_runs
from prunekit.ui.plain import as_typed
from prunekit.ui.runs import all_sweeps

OWN = "own"  # among the ids of sweeps, which look different


def compared_runs(card: ModelCard, runs: list[Run]) -> list[Run]:
    """The runs that the visitor wants beside each other, newest first: of the chosen model unless asked otherwise."""
    models = _models(card, runs)
    shown = [run for run in reversed(runs) if run.recipe["model"] in models]
    wanted = _sweep(shown)
    return shown if wanted is None else [run for run in shown if run.id in wanted]


def _models(card: ModelCard, runs: list[Run]) -> list[str]:
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


def _sweep(runs: list[Run]) -> set[str] | None:
    """The ids of the runs that the visitor wants to see alone, those of a sweep or one's own; None: all runs."""
    there = {run.id for run in runs}
    own = {run.id for run in runs if run.role != STUDY}
    sweeps = {sweep.id: (sweep, members) for sweep, members in reversed(all_sweeps()) if not there.isdisjoint(members)}
    words = {"": _("all runs")}
    if own and own != there:
        words[OWN] = _("without the studies")
    for name, (sweep, _members) in sweeps.items():
        # A menu knows its entries by what they say, and people may give two sweeps one name.
        words[name] = f"{sweep.title} · {name}" if sweep.title in words.values() else sweep.title
    if len(words) == 1:
        return None
    settle(words, "compared_sweep")
    chosen = st.selectbox(
        _("Runs"), list(words), format_func=words.get, key="compared_sweep", persist_state="session", width=260
    )
    if chosen == OWN:
        return own
    return set(sweeps[chosen][1]) if chosen else None


def chart_choices(card: ModelCard, sizes: list[int]) -> tuple[str, str, int | None]:
    """The axis, the split, and the batch size of measured latency, of `sizes`."""
    label = _("{metric} against").format(metric=_(card.task.metric_label))
    axis = one_of(label, {name: _(axis.label) for name, axis in AXES.items()}, "axis")
    batch = None
    if axis == "latency" and len(sizes) > 1:
        batch = one_of(_("Batch"), {size: str(size) for size in reversed(sizes)}, "batch")
    splits = {"validation": _("validation set"), "test": _("test set: final report")}
    return axis, one_of(_("Measured on"), splits, "split"), batch


def word_on_the_test_set() -> None:
    """Why one looks at test results once."""
    st.warning(
        _(
            "The test set is for the final report. A run that is chosen by its test result looks better than it "
            "is, for the choice has used the set up: choose on validation, then look here once."
        ),
        icon=":material/lock:",
    )


def chart_of_runs(table: pd.DataFrame, card: ModelCard, axis: str, split: str) -> bool:
    """The trade-off chart. A click on a point chooses its run; what is chosen is set off from the others.

    Returns whether there is anything to draw; if not, it says why.
    """
    choice = chosen_runs.choice()
    drawing = _drawing(table, axis, split, choice.turn)
    chosen = choice.runs if not table.index.intersection(list(choice.runs)).empty else ()
    if chosen and not chosen_runs.marked_by_browser(drawing):
        drawing = hash((drawing, chosen))
    else:
        chosen = ()
    chosen_runs.remember_drawing(drawing)
    figure = tradeoff(table, axis, card.task, split, chosen, first=card.id)
    if not figure.data:
        _no_points(table, axis)
        return False
    figure.update_layout(meta=choice.turn, clickmode="event+select")
    alt = _("{metric} of each run against {axis}").format(metric=_(card.task.metric_label), axis=_(AXES[axis].label))
    st.plotly_chart(
        figure,
        key=chosen_runs.CHART,
        height=figure.layout.height,
        alt=alt,
        config={"displaylogo": False, "modeBarButtonsToRemove": ["zoomIn2d", "zoomOut2d", "autoScale2d"]},
        on_select=chosen_runs.heard_chart,
        selection_mode="points",
    )
    return True


def _no_points(table: pd.DataFrame, axis: str) -> None:
    """Where the chart will be: that there is nothing to draw, why, and what to do."""
    with st.container(border=True, height=ALONE, horizontal_alignment="center", vertical_alignment="center"):
        sentence = _("None of these runs has a point against “{axis}”.")
        st.markdown(f"#### {sentence.format(axis=_(AXES[axis].label))}", width="content")
        for reason in missing(table, axis):
            st.markdown(as_typed(reason), width="content")
        st.page_link(frame.page("prune"), label=_("Prune it with a recipe of your own"), icon=":material/content_cut:")


def _drawing(table: pd.DataFrame, axis: str, split: str, turn: int) -> int:
    """The same for the same picture: a name for what the chart shows when nothing is chosen."""
    shown = table[["id", f"{split}_finetuned", "validation_finetuned", AXES[axis].after, "seeds", "hover"]]
    return hash((axis, split, turn, *shown.astype(object).itertuples(index=False, name=None)))


def words_on_runs(table: pd.DataFrame, axis: str, drawn: bool) -> None:
    """What must be said about the runs, in a few lines: what was found, then how to read the chart if there is one."""
    how, *which = leads(table) or [""]
    if which:
        with st.container(gap=None, key="leads"):
            for sentence in which:
                st.markdown(as_typed(sentence))
    with st.container(gap=None):
        for sentence in [how, *(remarks(table, axis) if drawn else ())]:
            if sentence:
                st.caption(as_typed(sentence))


def no_runs_yet(card: ModelCard) -> None:
    """What to do when there is nothing to compare."""
    with st.container(border=True, horizontal_alignment="center", gap="small"):
        st.markdown(f"#### {_('No runs of this model yet')}")
        st.markdown(
            _("Each run becomes a point here: what it costs against how well it does, beside the untouched model.")
        )
        if lack := card.lack_of_data():
            st.caption(lack)
            return
        st.page_link(frame.page("prune"), label=_("Prune it with a first recipe"), icon=":material/content_cut:")
