"""From what a visitor needs to a first recipe, and the reason for it in one sentence."""

from dataclasses import dataclass

from prunekit.core.amounts import percent
from prunekit.core.cards import model_card
from prunekit.core.errors import BadSetting, UnknownName
from prunekit.core.language import N_, _
from prunekit.core.recipe import Recipe, Training
from prunekit.core.settings import Setting


@dataclass(frozen=True)
class Goal:
    """A need in a visitor's words, and the one number that goes with it (its unit is part of the label)."""

    name: str
    label: str
    amount: Setting


def _amount(default: float, label: str, help: str, low: float, high: float, step: float) -> Setting:
    return Setting("amount", float, default, label, help, low, high, step)


GOALS = {
    goal.name: goal
    for goal in (
        Goal(
            "smaller",
            N_("Smaller"),
            _amount(50.0, N_("Parameters to remove (%)"), N_("Half is a good start."), 5.0, 95.0, 5.0),
        ),
        Goal(
            "faster",
            N_("Faster"),
            _amount(2.0, N_("Times fewer MACs"), N_("Two means half of the computing."), 1.1, 10.0, 0.1),
        ),
        Goal(
            "careful",
            N_("Hardly changed"),
            _amount(0.5, N_("Points of the metric to give"), N_("One point is 0.01 of the metric."), 0.1, 10.0, 0.1),
        ),
    )
}


@dataclass(frozen=True)
class Proposal:
    """A first recipe and why this one."""

    recipe: Recipe
    why: str


def propose(model: str, goal: str, amount: float | None = None) -> Proposal:
    """A first recipe for one of GOALS.

    amount: for "smaller" the percentage of parameters to remove, for "faster" how many times fewer MACs, for
    "careful" how many points of the metric may go. Raises UnknownName or BadSetting for anything outside GOALS.
    """
    if goal not in GOALS:
        raise UnknownName.of(_("goal"), goal, GOALS)
    limits = GOALS[goal].amount
    amount = limits.default if amount is None else amount
    if not limits.low <= amount <= limits.high:
        sentence = _("{label} must be between {low} and {high}, not {given}.")
        raise BadSetting(sentence.format(label=_(limits.label), low=limits.low, high=limits.high, given=amount))
    return {"smaller": _smaller, "faster": _faster, "careful": _careful}[goal](model, amount)


def _recipe(model: str, target: str, amount: float, many_cuts: bool) -> Recipe:
    # The default criterion estimates the loss that each channel is worth, so all layers can be ranked together.
    shared = {"scope": "global", "target": target, "amount": amount}
    if many_cuts:
        return Recipe(model, **shared, schedule="iterative", rounds=3, training=Training(epochs=6))
    return Recipe(model, **shared, schedule="one-shot")


def _smaller(model: str, removed: float) -> Proposal:
    recipe = _recipe(model, "parameters", removed / 100, many_cuts=removed > 50)
    why = _(
        "Whole channels are removed where they matter least, so the file really shrinks by {amount}; in {rounds} "
        "rounds of cutting and fine-tuning, because a network recovers better from small cuts than from a big one."
    )
    if recipe.schedule == "one-shot":
        why = _(
            "Whole channels are removed where they matter least, so the file really shrinks by {amount}; at this "
            "amount one cut and a few epochs of fine-tuning are usually enough."
        )
    return Proposal(recipe, why.format(amount=percent(recipe.amount, 0), rounds=recipe.rounds))


def _faster(model: str, factor: float) -> Proposal:
    amount = round(1 - 1 / factor, 4)
    recipe = _recipe(model, "macs", amount, many_cuts=amount > 0.5)
    why = _(
        "Time is saved by channels that are gone, not by zeros, so whole channels are removed until {amount} of "
        "the MACs are; the run then measures how much faster that really is."
    )
    return Proposal(recipe, why.format(amount=percent(amount, 0)))


def _careful(model: str, points: float) -> Proposal:
    # A rule of thumb, and said to be one: 0.3 at half a point, never more than 0.7.
    amount = round(min(0.2 + 0.2 * points, 0.7), 2)
    recipe = _recipe(model, "parameters", amount, many_cuts=True)
    why = _(
        "A cautious first guess: {amount} of the parameters in {rounds} small cuts with fine-tuning between them; the "
        "chart shows whether {metric} stays within {points} points, and the next run can go further or back."
    )
    metric = _(model_card(model).task.metric_label)
    text = why.format(amount=percent(amount, 0), rounds=recipe.rounds, metric=metric, points=f"{points:g}")
    return Proposal(recipe, text)
