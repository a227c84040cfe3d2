"""The form of a sweep: the fields of a recipe, of which four take several values; how many runs, and how long."""

import contextlib
import json
import time

import streamlit as st

from prunekit.core.cards import model_card
from prunekit.core.cuts import GRANULARITIES, PARTS
from prunekit.core.descriptions import is_trained_first, scorer_description, scorer_descriptions
from prunekit.core.errors import BadSetting, PrunekitError, StoreUnavailable
from prunekit.core.language import _, ngettext
from prunekit.core.recipe import Training
from prunekit.core.sweep import CONTROLS, Sweep, read_amounts, shared_by
from prunekit.experiments.engine import Pending
from prunekit.experiments.estimates import UNKNOWN, Estimate, estimate
from prunekit.experiments.runs import ACTIVE, WAITING, Run, stands
from prunekit.reports.progress import duration
from prunekit.reports.recipes import criterion
from prunekit.ui.components.again import look_again
from prunekit.ui.engine import ask
from prunekit.ui.forms import choice_labels, one_of
from prunekit.ui.panels.recipe_form import (
    MOST_SEEDS,
    NARROW,
    SETTINGS,
    UP_FRONT,
    field,
    given_recipe,
    keep,
    line,
    list_own_cuts,
    more_fields,
    schedule_fields,
    scope_field,
)
from prunekit.ui.plain import as_typed
from prunekit.ui.runs import all_runs

AGAIN_SECONDS, LATER_SECONDS = 1.0, 3.0


def mode_choice() -> str:
    """Whether one recipe is run ("run"), or many ("sweep")."""
    words = {"run": _("One run"), "sweep": _("Sweep")}
    return one_of(_("How many"), words, "form.mode", label_visibility="collapsed")


def sweep_form(model: str) -> Sweep:
    """Draws the form for a model and says what the sweep will do.

    Raises PrunekitError, after all fields are drawn, for what makes no sense together.
    """
    given = given_recipe(model)
    st.caption(_("Every criterion at every amount with every seed, one run after another, drawn on one chart."))
    scorers, controls = _criteria()
    with line():
        words = choice_labels(SETTINGS["granularity"])
        granularities = st.segmented_control(
            _(SETTINGS["granularity"].label),
            list(words),
            format_func=words.get,
            selection_mode="multi",
            key="sweep.granularities",
            help=_(SETTINGS["granularity"].help),
            persist_state="session",
        )
        scope = scope_field(granularities)
    with line():
        target = field("target")
        typed = st.text_input(
            _("Amounts (%)"),
            key="sweep.amounts",
            help=_("Several, with commas between them: 30, 50, 70."),
            persist_state="session",
            width=150,
        )
    schedule, rounds = schedule_fields()
    with line():
        training = {name: field(name, width=NARROW) for name in UP_FRONT}
        st.session_state.setdefault("sweep.seeds", 3)
        seeds = st.number_input(
            _("Seeds"),
            min_value=1,
            max_value=MOST_SEEDS,
            step=1,
            key="sweep.seeds",
            help=_("How often everything is run, with seeds 0, 1, 2 and so on: the spread tells what is noise."),
            persist_state="session",
            width=NARROW,
        )
    channels = "channel" in granularities
    more, others = more_fields(channels)
    shared = {"scope": scope, "target": target, "schedule": schedule, "rounds": rounds, **others}
    nothing = not scorers and not controls
    named, controls = (tuple(scorers), controls) if scorers else (CONTROLS, False)
    criteria = named + CONTROLS if controls else named
    if not (given.overrides or given.locked) and (both := shared_by(criteria, granularities, given.scorer)):
        shared |= {"scorer": both[0], "granularity": both[1]}
    base = given.with_(training=Training(**training | more), **shared)
    keep(base)
    list_own_cuts(base)
    if nothing:
        raise BadSetting(_("Choose at least one criterion."))
    return Sweep(base, named, read_amounts(typed), tuple(granularities), tuple(range(seeds)), controls)


def _criteria() -> tuple[list[str], bool]:
    known = scorer_descriptions()
    scorers = st.multiselect(
        _("Criteria"),
        list(known),
        format_func=lambda name: _(known[name].label),
        key="sweep.scorers",
        help=_("Each one is run at every amount, with every seed."),
        placeholder=_("Choose criteria"),
        persist_state="session",
    )
    st.session_state.setdefault("sweep.controls", True)
    controls = st.checkbox(
        _("Magnitude and random too"),
        key="sweep.controls",
        help=_("The simplest criterion and none at all: what another is worth is its lead over them."),
        persist_state="session",
    )
    return scorers, controls


@st.fragment
def what_it_takes(sweep: Sweep) -> None:
    """How many runs, how many of them are done, about how long the others will take, and what is left out.

    Looks again by itself while that changes, and leaves the fields above alone.
    """
    try:
        runs = all_runs()
    except StoreUnavailable:  # the page says so beside the form, and tries again
        runs = []
    card = model_card(sweep.base.model)
    marks = _fingerprints(json.dumps(sweep.to_plain(), sort_keys=True), str([*card.identity(), card.erase]))
    states = _states(runs)
    missing = [r for r, mark in zip(sweep.recipes(), marks, strict=True) if states.get(mark) != "finished"]
    on_their_way = sum(states.get(mark) in WAITING + ACTIVE for mark in marks)
    known = _time_of(sweep, missing, runs)
    words = [_counted(len(marks), len(marks) - len(missing), on_their_way)]
    if missing:
        words.append(_how_long(known))
    asked = set(marks)
    before = sum(not run.is_over and run.fingerprint not in asked for run in runs)
    if before and len(missing) > on_their_way:
        sentence = ngettext("after {n} run that goes first", "after {n} runs that go first", before)
        words.append(sentence.format(n=before))
    st.markdown(" · ".join(words))
    refusals = _refusals(sweep)
    _what_is_left_out(sweep, refusals)
    soon = any(isinstance(one, Pending) for one in (known, *refusals.values()))
    look_again(AGAIN_SECONDS if soon else LATER_SECONDS if on_their_way or before else 0, key="again_estimate")


def _counted(runs: int, done: int, on_their_way: int) -> str:
    parts = [ngettext("{n} run", "{n} runs", runs).format(n=runs)]
    if done:
        parts.append(_("{n} of them already done").format(n=done))
    if on_their_way:
        parts.append(_("{n} on their way").format(n=on_their_way))
    return f"**{', '.join(parts)}**"


def _what_is_left_out(sweep: Sweep, refusals: dict[tuple[str, str], str | Pending]) -> None:
    """Criteria without an answer: for a granularity, which are not run, and for this model, which would fail."""
    for (scorer, granularity), refusal in refusals.items():
        if isinstance(refusal, str) and refusal:
            sentence = _("{criterion} cannot score the {units} of this model: its runs would fail. {reason}")
            words = {"criterion": criterion(scorer), "units": _(GRANULARITIES[granularity]), "reason": refusal}
            st.warning(as_typed(sentence.format(**words)), icon=":material/block:")
    early = [criterion(scorer) for scorer in sweep.criteria if is_trained_first(scorer)]
    if early and len(early) < len(sweep.criteria):
        sentence = _(
            "Of {criteria} some epochs come before the cut, of the others all after it: these have longer to recover."
        )
        st.caption(sentence.format(criteria=", ".join(early)))
    for scorer, granularity in sweep.left_out():
        sentence = _("Left out: {criterion} has no answer for {units}.")
        st.caption(sentence.format(criterion=criterion(scorer), units=_(GRANULARITIES[granularity])))


@st.cache_data(show_spinner=False, max_entries=64)
def _fingerprints(plan: str, identity: str) -> list[str]:
    """The fingerprints of a sweep's recipes, remembered: a form is drawn at every key press.

    identity: of the weights, the data and the augmentation, on which they depend too.
    """
    return [recipe.fingerprint for recipe in Sweep.from_plain(json.loads(plan)).recipes()]


def _states(runs: list[Run]) -> dict[str, str]:
    """For each recipe the state of the run that stands for it, if there is one: a finished one before others."""
    found: dict[str, str] = {}
    for run in runs:
        if stands(run) and found.get(run.fingerprint) != "finished":
            found[run.fingerprint] = run.state
    return found


def _refusals(sweep: Sweep) -> dict[tuple[str, str], str | Pending]:
    """For criteria that look at the weights and each granularity: why this model's have no answer; "" where they have.

    Those that look at data are not asked: it would take their time. The controls can always be used where there is
    anything to score, which one criterion tells for all.
    """
    left_out, found = sweep.left_out(), {}
    for granularity in sweep.granularities:
        there = [scorer for scorer in sweep.criteria if (scorer, granularity) not in left_out]
        asked = {name: name for name in there if name not in CONTROLS and scorer_description(name).needs == "weights"}
        if granularity in PARTS:
            asked = dict.fromkeys(there[:1], CONTROLS[0])
        for scorer, stands_in in asked.items():
            knobs = dict(sweep.base.with_(scorer=stands_in, granularity=granularity).knobs)
            with contextlib.suppress(PrunekitError):  # the engine is away: the run itself will tell
                answer = ask("refusal", sweep.base.model, stands_in, knobs, granularity, patience=0.0)
                if not (isinstance(answer, Pending) and answer.state == "off"):
                    found[scorer, granularity] = answer
    return found


def _time_of(sweep: Sweep, missing: list, runs: list[Run]) -> Estimate | Pending:
    known = estimate(missing, runs)
    return _measured(sweep, missing, runs) if known == UNKNOWN else known


def _how_long(known: Estimate | Pending) -> str:
    if isinstance(known, Pending):
        return _("measuring how long a step takes here …")
    if known.seconds is None:
        return _("how long is not known")
    return _("about {time}, {source}").format(time=duration(known.seconds), source=known.source)


def _measured(sweep: Sweep, missing: list, runs: list[Run]) -> Estimate | Pending:
    """The estimate from a measured step; the measurement holds for an hour."""
    training = sweep.base.training
    hour = int(time.time() // 3600)
    asked = (sweep.base.model, training.batch_size, training.precision, training.distillation, hour)
    try:
        pace = ask("training_pace", *asked, lane="preview")
    except PrunekitError:  # a time that is not known must not stand in the way of starting
        return UNKNOWN
    if isinstance(pace, Pending):
        return UNKNOWN if pace.state == "off" else pace
    return estimate(missing, runs, pace)
