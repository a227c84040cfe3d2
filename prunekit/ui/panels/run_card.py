"""One run on the page: how far it is while it goes on, what came of it when it is over."""

import time
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from prunekit.core.amounts import compact, metric_text, percent, size
from prunekit.core.cuts import ZEROED
from prunekit.core.errors import PrunekitError
from prunekit.core.language import _
from prunekit.core.recipe import Recipe
from prunekit.experiments.runs import ACTIVE, STUDY, Run
from prunekit.experiments.store import Store
from prunekit.reports.live import live_loss, live_metric, live_sparsity
from prunekit.reports.progress import curves, duration, progress
from prunekit.reports.tables import STATES, is_unsteady, latency_of, task_of
from prunekit.ui.panels.branch import branch_button
from prunekit.ui.panels.card_head import action_button, other_model_badge
from prunekit.ui.panels.numbers import Tile, tiles
from prunekit.ui.plain import as_typed, show_error

COLOURS = {"queued": "gray", "running": "blue", "stopping": "orange", "finished": "green"} | dict.fromkeys(
    ("stopped", "interrupted"), "orange"
)
CHART_HEIGHT = 150
CURVES = ("cut", "epoch", "progress")  # the kinds of events that the curves are drawn from
TIMING_SECONDS = 600  # a timing that is later than this will hardly come by itself


def card_style() -> None:
    """What the cards look like; once on each page that has some."""
    st.html(Path(__file__).with_name("runs.css"))


def run_card(run: Run, store: Store, ahead: int | None = None) -> None:
    """A run with all there is to tell of it; `ahead` is how many are before it in the queue."""
    with st.container(border=True, key=f"run_card_{run.id}", gap="small"):
        _head(run, ahead)
        if run.state in ACTIVE:
            _live(run, store)
        elif run.is_over:
            _over(run, store)
        else:
            branch_button(run)


def run_line(run: Run, on_open: Callable[[str], None] | None = None) -> None:
    """A run in two lines; `on_open`, a callback that takes its id, puts a button on them."""
    with st.container(border=True, key=f"run_line_{run.id}", gap="xsmall"):
        _head(run, on_open=on_open)
        nothing = _("Nothing was measured.") if run.is_over else _("Nothing is measured yet.")
        st.caption(as_typed(run.error) if run.error else outcome_sentence(run) or nothing)


def outcome_sentence(run: Run) -> str:
    """What came of a finished run, in one line; empty for any other."""
    result = run.result
    if run.state != "finished" or not result:
        return ""
    task = task_of(run.recipe["model"])
    before, after = (metric_text(result[f"validation_{n}"], task.percent) for n in ("baseline", "finetuned"))
    sentence = _("{metric} {before} → {after} · {parameters} of the parameters gone · {macs} of the MACs gone")
    return sentence.format(
        metric=_(task.metric_label),
        before=before,
        after=after,
        parameters=percent(1 - result["nonzero_after"] / result["nonzero_before"]),
        macs=percent(1 - result["macs_after"] / result["macs_before"]),
    )


def is_untimed(run: Run) -> bool:
    """Whether a finished run's latency is still to come."""
    if run.state != "finished" or run.role == STUDY:
        return False
    if not run.result or run.result.get("latency_ms_after") is not None:
        return False
    return abs(time.time() - (run.ended or 0)) < TIMING_SECONDS  # clocks are put back


def _head(run: Run, ahead: int | None = None, on_open: Callable[[str], None] | None = None) -> None:
    """Title, state, and the buttons that fit the state."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        # As text: a title is typed by people and is no Markdown.
        st.text(run.title, width="content")
        st.badge(_(STATES.get(run.state, run.state)), color=COLOURS.get(run.state, "red"))
        if run.role == "control":
            st.badge(_("random control"), color="gray", help=_("The same recipe with random scores, to compare with."))
        other_model_badge(run.recipe["model"])
        if run.state == "queued" and ahead is not None:
            st.caption(_("{n} ahead of it").format(n=ahead) if ahead else _("next in the queue"), width="content")
        st.space("stretch")
        if on_open is not None:
            st.button(_("Open"), key=f"open_{run.id}", icon=":material/unfold_more:", on_click=on_open, args=(run.id,))
        if run.state in ("queued", "running"):
            action_button("stop", run.id, _("Stop"), ":material/stop:", _("Finished epochs are kept."))
        elif run.state in ("stopped", "interrupted", "failed"):
            help = _("Goes on from the last epoch that was kept.")
            action_button("resume", run.id, _("Resume"), ":material/resume:", help)
        if run.state == "failed":
            help = _("Forgets the epochs that were kept and runs the recipe from its beginning.")
            action_button("start_afresh", run.id, _("Start afresh"), ":material/restart_alt:", help)


def _live(run: Run, store: Store) -> None:
    events = store.events(run.id)
    how_far = progress(events, run.recipe["training"]["batch_size"])
    sentence = _("Stopping after this batch.") if run.state == "stopping" else how_far.sentence()
    st.progress(min(how_far.fraction, 1.0), text=sentence)
    _curves(run, events)
    branch_button(run)


def _curves(run: Run, events: list[dict]) -> None:
    drawn = curves(events)
    task, epochs = task_of(run.recipe["model"]), run.recipe["training"]["epochs"]
    charts = {
        "loss": live_loss(drawn, epochs),
        "metric": live_metric(drawn, epochs, task),
        "sparsity": live_sparsity(drawn, epochs),
    }
    for column, (name, options) in zip(st.columns(3), charts.items(), strict=True):
        alt = _("{what} over the epochs so far").format(what=options["title"]["text"])
        column.echarts_chart(options, height=CHART_HEIGHT, key=f"live_{run.id}_{name}", alt=alt)


def _folded_curves(run: Run, store: Store) -> None:
    with st.expander(_("Curves"), icon=":material/show_chart:", key=f"curves_{run.id}", on_change="rerun") as panel:
        if panel.open:
            _curves(run, store.events(run.id, CURVES))


def _over(run: Run, store: Store) -> None:
    if run.error:
        show_error(run.error)
    if run.state == "finished" and run.result:
        tiles(_outcome(run))
    elif not run.error:
        done = [e["epoch"] for e in store.events(run.id, ("epoch",))]
        n = max(done, default=0)
        sentence = _("Stopped after {n} of {epochs} epochs; what was finished is kept.")
        st.caption(sentence.format(n=n, epochs=run.recipe["training"]["epochs"]))
    if run.state in ("stopped", "interrupted") and (events := store.events(run.id, CURVES)):
        _curves(run, events)
    if run.state == "finished" and store.events(run.id, ("epoch",)):
        _folded_curves(run, store)
    floor = sorted({row for event in store.events(run.id, ("floor",)) for row in event["rows"]})
    if floor:
        sentence = _(
            "The recipe would have emptied {layers}; the best units were kept there, so that the net still works."
        )
        st.warning(sentence.format(layers=as_typed(", ".join(floor))), icon=":material/vertical_align_bottom:")
    _repeat(run, store)


def _precision(run: Run, store: Store) -> list[str]:
    """What the run was trained in and why, if it was trained."""
    told = store.events(run.id, ("precision",))
    if told:
        return [told[-1]["sentence"]]
    name = (run.result or {}).get("precision")  # of a study only the result is there
    return [_("Training in {name}.").format(name=name)] if name else []


def _repeat(run: Run, store: Store) -> None:
    try:
        command = Recipe.from_plain(run.recipe).command()
    except PrunekitError:  # of a model or a version that is gone
        command = ""
    took = (run.result or {}).get("wall_seconds")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        branch_button(run)
        if command:
            with st.popover(_("Repeat it"), icon=":material/terminal:"):
                st.caption(_("This line repeats the run:"))
                st.code(command, language="bash", wrap_lines=True)
        if took:
            told = _("Took {time}, seed {seed}.").format(time=duration(took), seed=run.recipe["seed"])
            st.caption(" ".join([told, *_precision(run, store)]))


def _outcome(run: Run) -> list[Tile]:
    result = run.result
    task = task_of(run.recipe["model"])
    baseline, cut, tuned = (
        metric_text(result[f"validation_{name}"], task.percent) for name in ("baseline", "pruned", "finetuned")
    )
    zeros = run.recipe["granularity"] in ZEROED
    quantity = "nonzero" if zeros else "parameters"
    return [
        Tile(
            _("{metric}, validation").format(metric=_(task.metric_label)),
            tuned,
            _("untouched {baseline}, after the cut {cut}").format(baseline=baseline, cut=cut),
        ),
        _share(_("Non-zero parameters") if zeros else _("Parameters"), result, quantity, compact),
        _share(_("MACs"), result, "macs", compact),
        _share(_("Size"), result, "bytes", size),
        _speed(run),
    ]


def _share(label: str, result: dict, quantity: str, text) -> Tile:
    before, after = result[f"{quantity}_before"], result[f"{quantity}_after"]
    if after == before:
        return Tile(label, text(after), _("unchanged"))
    note = _("of {before}, {share} gone").format(before=text(before), share=percent(1 - after / before))
    if after > before:
        note = _("more than {before}").format(before=text(before))
    return Tile(label, text(after), note)


def _speed(run: Run) -> Tile:
    latency = latency_of(run.result)
    if latency["speedup"] is None and run.role == STUDY:
        return Tile(_("Measured speedup"), "–", _("not timed: made on another machine"))
    if latency["speedup"] is None:
        return Tile(_("Measured speedup"), _("pending"), _("timed when nothing trains any more"), tone="wait")
    note = _("{before:.3g} → {after:.3g} ms, batch of {batch}")
    note = note.format(
        before=latency["latency_ms_before"], after=latency["latency_ms_after"], batch=latency["latency_batch"]
    )
    low, high = latency["speedup_low"], latency["speedup_high"]
    hint, tone = latency["latency_reason"] or "", ""
    if low and high:
        note += f"; {low:.2f}–{high:.2f}×"
        hint = f"{hint} {_('The range is that of the middle half of the timed pairs.')}".strip()
        if is_unsteady(low, high):
            note, tone = _("unsteady, the machine was busy: {figures}").format(figures=note), "wait"
    return Tile(_("Measured speedup"), f"{latency['speedup']:.2f}×", note, hint, tone)
