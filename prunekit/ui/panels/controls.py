"""The controls above the picture: which scores to look at, at what grain, over which scope."""

import dataclasses

import streamlit as st

from prunekit.core.cards import model_card
from prunekit.core.cuts import scopes_of
from prunekit.core.descriptions import ScorerDescription, fitting_scorers, scorer_descriptions
from prunekit.core.language import N_, _
from prunekit.core.link import VIEWS
from prunekit.core.recipe import Recipe
from prunekit.core.settings import in_words, settings_of
from prunekit.ui.forms import among, choice_labels, one_of, setting_input
from prunekit.ui.panels.bounds import bounds_popover
from prunekit.ui.state import Question, fit_scorer

CARD, HALF = 440, 210  # pixels
NEEDS = {
    "weights": N_("Looks at the weights alone."),
    "gradients": N_("Looks at gradients on {n} training examples."),
    "activations": N_("Looks at activations on {n} training examples."),
    "disturbances": N_("Looks at activations on {n} training examples, as they are and with noise added."),
    "errors": N_("Looks at activations and their gradients on {n} training examples."),
    "history": N_("Looks at how weights move in the training before a cut."),
    "losses": N_("Reads the loss on some of {n} training examples, once for each unit."),
}


def question_controls(model: str):
    """Draws the controls.

    Returns the question they ask, what a cut takes from them (see `core.cuts.RULE`), the view, and the place where
    `what_bounds_do` is to be told.
    """
    question, settings = criterion_controls(model), {s.name: s for s in settings_of(Recipe)}
    granularity = question.granularity
    scope = setting_input(among(settings["scope"], scopes_of({granularity})), "scope", width="content")
    bounds, told = bounds_popover(granularity)
    words = {name: _(label) for name, label in VIEWS.items()}
    said = _("The histograms show the importance of what can be cut, or the weights themselves.")
    view = one_of(_("View"), words, "view", help=said)
    return question, {"scope": scope} | bounds, view, told


def criterion_controls(model: str) -> Question:
    """Draws which scores are asked for, at what grain."""
    settings = {s.name: s for s in settings_of(Recipe)}
    granularity_setting = settings["granularity"]
    st.session_state.setdefault("granularity", granularity_setting.default)
    granularity = st.session_state["granularity"]
    known = fitting_scorers(granularity, not model_card(model).lack_of_data())
    fit_scorer(known)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xxsmall", width="content"):
        scorer = st.selectbox(
            _(settings["scorer"].label),
            list(known),
            format_func=lambda name: _(known[name].label),
            key="scorer",
            width=200,
            persist_state="session",
        )
        knobs = _about(known[scorer], granularity)
    for knob in known[scorer].own_knobs(granularity):
        knobs[knob.name] = setting_input(knob, f"knob.{scorer}.{knob.name}", width="content")
    granularity = setting_input(granularity_setting, "granularity", width="content")
    return Question(model, scorer, known[scorer].told(knobs), granularity)


def _about(criterion: ScorerDescription, granularity: str) -> dict:
    """The button with what a criterion is, and for channels what it does where layers are coupled: these settings."""
    knobs = {k: f"knob.{criterion.name}.{k.name}" for k in criterion.coupling if k.matters(granularity)}
    told = [in_words(k, st.session_state[key]) for k, key in knobs.items() if key in st.session_state]
    usual = [in_words(k, k.default) for k in knobs]
    label = " ".join(word for word in told if word not in usual)
    with st.popover(label, icon=":material/info:", help=_("What this criterion is")), st.container(width=CARD):
        criterion_card(criterion)
        with st.container(horizontal=True):
            return {knob.name: setting_input(knob, key, width=HALF) for knob, key in knobs.items()}


def criterion_card(description: ScorerDescription) -> None:
    """What a criterion is: formula, in words, what it looks at, where it comes from."""
    st.markdown(f"##### {_(description.label)}")
    st.code(description.formula, language=None, wrap_lines=True)
    st.markdown(_(description.help))
    calibration = next(f.default for f in dataclasses.fields(Question) if f.name == "calibration")
    st.caption(_(NEEDS[description.needs]).format(n=calibration))
    st.caption(_("Source: {source}").format(source=_(description.source)))


def unit_words(granularity: str) -> str:
    """What is counted at a granularity, as the visitor reads it."""
    return choice_labels(next(s for s in settings_of(Recipe) if s.name == "granularity"))[granularity]


def axis_words(question: Question, view: str) -> str:
    """What the histograms' horizontal axis shows."""
    if view == "weights":
        return _("Weight")
    label = _(scorer_descriptions()[question.scorer].label)
    return _("Importance ({criterion})").format(criterion=label)
