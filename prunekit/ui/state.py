"""What a visitor has chosen, on every page: the model, the question asked of it, the cut, the recipe."""

import dataclasses
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from prunekit.core.cards import ModelCard, model_card, model_cards
from prunekit.core.cut_table import CutTable
from prunekit.core.cuts import RULE, Cut
from prunekit.core.descriptions import scorer_descriptions
from prunekit.core.errors import BadSetting, UnknownName
from prunekit.core.link import FIRST_SPARSITY
from prunekit.core.recipe import Recipe
from prunekit.core.sweep import Sweep
from prunekit.ui.forms import fill

FIRST_MODEL = "lenet-fashion"
FIRST_CUT = Cut(FIRST_SPARSITY)
MODELS_MET = 4


@dataclass(frozen=True)
class Question:
    """What the Explore page asks of a model: which scores, at what grain."""

    model: str
    scorer: str
    knobs: dict
    granularity: str
    seed: int = 0
    calibration: int = 512

    def arguments(self) -> tuple:
        """The arguments of the engine's `exploration`, and the first ones of its `preview`."""
        return (self.model, self.scorer, self.knobs, self.granularity, self.seed, self.calibration)

    @property
    def key(self) -> str:
        """The same for as long as the answer is: it depends on the weights and on the data at hand, too."""
        return json.dumps([*self.arguments(), *model_card(self.model).identity()], sort_keys=True)


# -- the model: the address first, then the session, so that a link, a reload and a page switch all keep it -------


def chosen_model() -> str:
    """The id of the chosen model; an unknown one in the address raises UnknownName once and is then forgotten."""
    known = model_cards()
    asked = st.query_params.get("model")
    chosen = asked or st.session_state.get("model") or (FIRST_MODEL if FIRST_MODEL in known else next(iter(known), ""))
    try:
        model_card(chosen)
    except UnknownName:
        st.query_params.pop("model", None)
        st.session_state["asked_in_vain"] = True  # the rest of the address may be about that model
        st.session_state.pop("model", None)
        raise
    choose_model(chosen)
    return chosen


def models_at_hand() -> list[str]:
    """What the header offers: the sample models, and those of torchvision's networks that were chosen here before."""
    known = model_cards()
    others = st.session_state.setdefault("models_met", [])
    chosen = st.session_state.get("model")
    if chosen and chosen not in known and chosen not in others[-MODELS_MET:]:
        others.append(chosen)
    return [*known, *others[-MODELS_MET:]]


def choose_model(name: str) -> None:
    """Makes a model the chosen one, here and in the address. The same on every page: fit for a callback."""
    st.session_state["model"] = name
    named = st.query_params.get("model")
    if named is None:
        st.query_params["model"] = name
    elif named != name:  # the rest was about the other one; the page writes it anew
        st.query_params.from_dict({"model": name})


def chosen_card() -> ModelCard:
    return model_card(st.session_state["model"])


# -- the cut: a Cut, the row in focus, and a revision that grows whenever the server, not the hand, moved it -------


def cut() -> Cut:
    return st.session_state.setdefault("cut", FIRST_CUT)


def focus() -> str:
    return st.session_state.get("focus", "")


def revision() -> int:
    # Milliseconds: a picture that outlived its server hears the session that a restarted one begins for it.
    return st.session_state.setdefault("cut_revision", time.time_ns() // 1_000_000)


def move_cut(new: Cut, focus: str | None = None) -> None:
    """The server moves the cut: the picture in the browser will follow, and can undo it."""
    st.session_state["cut"] = new
    st.session_state["cut_heard"] = 0  # the answer to no message: nothing that the picture has remembered already
    if focus is not None:
        st.session_state["focus"] = focus
    st.session_state["cut_revision"] = revision() + 1


def heard_cut(new: Cut, focus: str) -> None:
    """The browser moved the cut: there is nothing to send back but its numbers."""
    st.session_state["cut"], st.session_state["focus"] = new, focus


def hear(message: dict | None, table: CutTable, board: str) -> None:
    """Takes over the cut in a message from the picture `board`, unless it is an old one or none at all.

    A threshold typed as a score becomes a sparsity here, from all scores: the browser knows some of them only.
    """
    if not message or message.get("board") != board or message.get("revision") != revision():
        return
    new = _cut_in(message, table.names, cut())
    if new is None:
        return
    focused = message.get("focus") if message.get("focus") in table.names else focus()
    st.session_state["cut_settled"] = bool(message.get("settled"))
    typed = message.get("threshold")
    if isinstance(typed, dict) and isinstance(typed.get("value"), (int, float)):
        move_cut(_cut_at(typed["value"], typed.get("row"), table, new), focused)
    else:
        heard_cut(new, focused)
    st.session_state["cut_heard"] = message.get("seq")


def heard() -> int:
    """The number of the last message that was heard; the picture knows by it which cut an answer is for."""
    return st.session_state.get("cut_heard") or 0


def settled() -> bool:
    """Whether the hand has let go."""
    return st.session_state.get("cut_settled", True)


def _cut_in(message: dict, names: tuple[str, ...], before: Cut) -> Cut | None:
    try:
        overrides = {name: float(message["overrides"][name]) for name in names if name in message["overrides"]}
        locked = frozenset(message["locked"]) & frozenset(names)
        return dataclasses.replace(before, sparsity=float(message["sparsity"]), overrides=overrides, locked=locked)
    except (BadSetting, KeyError, TypeError, ValueError):
        return None


def _cut_at(threshold: float, name: str | None, table: CutTable, cut: Cut) -> Cut:
    if name not in table.names:
        return dataclasses.replace(cut, sparsity=table.sparsity_below(threshold, cut))
    row = table.names.index(name)
    share = table.count_below(row, threshold) / int(table.units[row])
    return dataclasses.replace(cut, overrides={**cut.overrides, name: share}, locked=cut.locked - {name})


def bring_cut(question: Question, new: Cut) -> None:
    """Puts a cut on the Explore page, with the controls of its question; before they are drawn."""
    leave_rows()
    set_controls(question.scorer, question.knobs, question.granularity, new.rule)
    st.session_state["cut_rows"] = [question.model, question.granularity]  # the own cuts that come are of these rows
    move_cut(new)


def leave_rows() -> None:
    """Keeps the cuts of single rows for who comes back to these rows."""
    if rows := st.session_state.pop("cut_rows", None):
        st.session_state.setdefault("own_cuts", {})[tuple(rows)] = (cut().overrides, cut().locked)


def fit_cut(question: Question, rule: Mapping, names: tuple[str, ...]) -> None:
    """Makes the cut one of the rows on the page: another model or granularity has its own cuts of single rows.

    rule: the fields of a cut that the controls set (see `core.cuts.RULE`). Who comes back finds the own cuts that were
    there before.
    """
    rows, old = [question.model, question.granularity], cut()
    if st.session_state.get("cut_rows", rows) != rows:
        leave_rows()
        overrides, locked = st.session_state["own_cuts"].get(tuple(rows), ({}, frozenset()))
        old = dataclasses.replace(old, overrides=overrides, locked=locked)
    st.session_state["cut_rows"] = rows
    new = Cut(
        old.sparsity,
        overrides={name: value for name, value in old.overrides.items() if name in names},
        locked=old.locked & frozenset(names),
        **rule,
    )
    new_focus = focus() if focus() in names else (names[0] if names else "")
    if new != cut() or new_focus != focus():
        move_cut(new, new_focus)


# -- the recipe: from a proposal to the Explore page, and from there to the Prune page -----------------------------


def hand_on(recipe: Recipe, sweep: Sweep | None = None) -> None:
    """Leaves a recipe for the Prune page, which fills its form with it: that of one run, or of a sweep around it."""
    st.session_state["recipe"], st.session_state["sweep"] = recipe, sweep
    st.session_state["form.mode"] = "sweep" if sweep else "run"


def aim_at(recipe: Recipe) -> None:
    """Opens the Explore page's controls at a recipe; its target is solved there, where the scores are."""
    set_controls(recipe.scorer, recipe.knobs, recipe.granularity, recipe.cut(0.0).rule)
    st.session_state["view"] = "importance"
    st.session_state["recipe"] = recipe
    st.session_state["aim"] = recipe
    leave_rows()
    st.session_state["cut"] = recipe.cut(0.0)


def set_controls(scorer: str, knobs: Mapping, granularity: str, rule: Mapping) -> None:
    """Sets the Explore page's controls, before they are drawn."""
    st.session_state["scorer"], st.session_state["granularity"] = scorer, granularity
    set_rule(granularity, rule)
    st.session_state.pop("scorer_wanted", None)
    for knob in scorer_descriptions()[scorer].knobs:
        fill(knob, f"knob.{scorer}.{knob.name}", knobs.get(knob.name, knob.default))


def set_rule(granularity: str, rule: Mapping) -> None:
    """Sets the controls of what a cut takes from them (see `core.cuts.RULE`), before they are drawn."""
    session = st.session_state
    session["scope"], session["round_to"], session[floor_key(granularity)] = (rule[name] for name in RULE)


def floor_key(granularity: str) -> str:
    """Of the control of the floor: eight channels are many, and eight weights are none."""
    return f"floor.{granularity}"


def fit_scorer(known: Mapping) -> None:
    """Sees to it that the chosen criterion is one of `known`; the one that was wanted, as soon as it is.

    Who looks at a model without data, or at weights, finds the criterion of before when that fits again.
    """
    session = st.session_state
    wanted, instead = session.get("scorer_wanted", (None, None))
    if wanted in known and session.get("scorer") == instead:
        session["scorer"] = wanted
    if session.get("scorer") != instead:  # it is back, or another was chosen
        session.pop("scorer_wanted", None)
    if (chosen := session.get("scorer")) not in known:
        session["scorer"] = next(iter(known))
        session["scorer_wanted"] = (chosen, session["scorer"])


def take_aim(model: str) -> Recipe | None:
    """The recipe that the Explore page is still to be set to, if it is one for this model; once."""
    aim = st.session_state.pop("aim", None)
    if aim and aim.model != model:
        move_cut(FIRST_CUT)  # the visitor has gone on: what was to be solved there says nothing here
        return None
    return aim


def recipe_of(question: Question, now: Cut | None = None) -> Recipe:
    """The recipe of a cut, by default the one of the Explore page; training and schedule come from the recipe that was
    there before.
    """
    before = st.session_state.get("recipe")
    if before is None or before.model != question.model:
        before = Recipe(question.model)
    now = now or cut()
    return dataclasses.replace(
        before,
        scorer=question.scorer,
        knobs=question.knobs,
        granularity=question.granularity,
        **now.rule,
        target="sparsity",
        amount=now.sparsity,
        overrides=dict(now.overrides),
        locked=tuple(sorted(now.locked)),
        seed=question.seed,
        calibration=question.calibration,
    )
