"""A recipe in words: what a run will do, and what a run has done, for pages and for hovering."""

from prunekit.core.cuts import GRANULARITIES, LANES, SCOPES, TARGETS, ZEROED, exact_count
from prunekit.core.descriptions import is_trained_first, scorer_descriptions
from prunekit.core.language import _, ngettext
from prunekit.core.recipe import Recipe, bounds_in_words
from prunekit.core.settings import Setting, in_words


def criterion(scorer: str, knobs: dict | None = None) -> str:
    """The criterion's label and its knobs where they are not as usual, as in “Magnitude (L2)”."""
    known = scorer_descriptions().get(scorer)
    if known is None:  # of a version that had others
        return scorer
    told = [_knob(k, knobs[k.name]) for k in known.knobs if knobs and knobs.get(k.name, k.default) != k.default]
    return f"{_(known.label)} ({', '.join(told)})" if told else _(known.label)


def _knob(knob: Setting, value) -> str:
    return in_words(knob, value) if knob.choices else f"{_(knob.label)} {in_words(knob, value)}"


def share(fraction: float) -> str:
    """A fraction as it was asked for, in percent: 50 %, 37.3 %."""
    return _("{number} %").format(number=f"{100 * fraction:.4g}")


def measured_on(examples: int) -> str:
    """What the validation metric was measured on: the full data and the shipped part of it differ in the number."""
    return _("{n} validation examples").format(n=examples)


def what_it_does(recipe: Recipe) -> str:
    """What a run of the recipe will do, in a sentence or two."""
    lead = {
        "global": _("Ranks all {units} of the net together by {criterion} and {verb} the lowest until {goal}"),
        "isomorphic": _(
            "Ranks the {units} of all layers of one kind together by {criterion} and {verb} the lowest of each kind "
            "until {goal}"
        ),
        "erk": _(
            "Ranks the {units} of each layer by {criterion} and {verb} the lowest, fewer of small layers (ERK), until "
            "{goal}"
        ),
        "layer": _("Ranks the {units} of each layer by {criterion} and {verb} the same share everywhere until {goal}"),
    }
    by_group = _("Ranks each {n} neighbouring {units} by {criterion} and {verb} the same number of each until {goal}")
    if recipe.target == "sparsity":
        by_group = _("Ranks each {n} neighbouring {units} by {criterion} and {verb} the lowest {gone} of them")
    lead |= dict.fromkeys(LANES, by_group)
    group = LANES.get(recipe.scope)
    verb = _("sets to zero") if recipe.granularity in ZEROED else _("removes")
    units = _(GRANULARITIES[recipe.granularity])
    name = criterion(recipe.scorer, recipe.knobs)
    return (
        lead[recipe.scope].format(
            n=group,
            gone=group and exact_count(recipe.amount, group),
            units=units,
            criterion=name,
            verb=verb,
            goal=_goal(recipe, units),
        )
        + _own_cuts(recipe)
        + _how(recipe)
    )


def hover(recipe: Recipe) -> list[str]:
    """The recipe in a few short lines."""
    training = recipe.training
    epochs = ngettext("{n} epoch", "{n} epochs", training.epochs).format(n=training.epochs)
    rounds = ngettext("{n} round", "{n} rounds", recipe.rounds).format(n=recipe.rounds)
    units, scope = _(GRANULARITIES[recipe.granularity]), _(SCOPES[recipe.scope])
    return [
        f"{criterion(recipe.scorer, recipe.knobs)} · {units} · {scope}",
        f"{share(recipe.amount)} {_target(recipe)} · {_(recipe.schedule)}, {rounds}",
        *bounds_in_words(recipe.round_to, recipe.floor),
        _("{epochs}, learning rate {rate:g}, seed {seed}").format(
            epochs=epochs, rate=training.learning_rate, seed=recipe.seed
        ),
        *training.words(),
    ]


def _target(recipe: Recipe) -> str:
    return _(GRANULARITIES[recipe.granularity] if recipe.target == "sparsity" else TARGETS[recipe.target])


def _goal(recipe: Recipe, units: str) -> str:
    sentence = {
        "sparsity": _("{amount} of the {units} are gone"),
        "parameters": _("{amount} of the parameters are gone"),
        "macs": _("{amount} of the MACs are gone"),
        "bytes": _("{amount} of the file's bytes are gone"),
    }[recipe.target]
    return sentence.format(amount=share(recipe.amount), units=units)


def _own_cuts(recipe: Recipe) -> str:
    parts = []
    if recipe.round_to > 1:
        parts.append(_("what stays in a layer becomes a multiple of {n}").format(n=recipe.round_to))
    if recipe.floor > 1:
        parts.append(_("at least {n} stay in each layer").format(n=recipe.floor))
    if count := len(recipe.overrides):
        parts.append(ngettext("{n} layer has a cut of its own", "{n} layers have a cut of their own", count))
        parts[-1] = parts[-1].format(n=count)
    if count := len(recipe.locked):
        parts.append(ngettext("{n} layer stays whole", "{n} layers stay whole", count).format(n=count))
    return f" ({', '.join(parts)})" if parts else ""


def _how(recipe: Recipe) -> str:
    epochs = recipe.training.epochs
    tuned = ngettext("{n} epoch", "{n} epochs", epochs).format(n=epochs)
    if is_trained_first(recipe.scorer) and recipe.schedule == "one-shot":
        sentence = _(", in one cut with training before and after it, {tuned} in all.")
    elif is_trained_first(recipe.scorer):
        sentence = _(", in {rounds} rounds of training, scoring and cutting, and training at the end: {tuned} in all.")
    elif recipe.schedule != "one-shot" and epochs:
        sentence = _(", in {rounds} rounds of scoring, cutting and fine-tuning that share {tuned}.")
    elif recipe.schedule != "one-shot":
        sentence = _(", in {rounds} rounds of scoring and cutting, without fine-tuning.")
    elif epochs:
        sentence = _(", in one cut, then fine-tunes for {tuned}.")
    else:
        sentence = _(", in one cut, without fine-tuning.")
    told = sentence.format(rounds=recipe.rounds, tuned=tuned)
    if epochs and recipe.training.distillation:
        told += " " + _("The untouched network is its teacher.")
    return told
