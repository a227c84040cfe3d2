"""How long runs will take: from runs like them that are finished, else from the pace of a measured step.

Runs and paces in, seconds out. Seconds are those of the runs themselves, one after another, once they may run.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from prunekit.core.data_folder import FULL_SETS, has_full_set
from prunekit.core.descriptions import scorer_descriptions
from prunekit.core.language import _, ngettext
from prunekit.core.recipe import Recipe
from prunekit.experiments.runs import STUDY, Run

# Scoring, cutting and weighing a run take about as long as one more epoch does.
AROUND = 1
# What a run takes besides its examples, measured on the smallest sample model: it is built, traced and weighed.
AROUND_SECONDS = 1.5
LIKE_TRAINING = ("batch_size", "precision", "optimizer", "augment")  # what the pace of a step depends on


@dataclass(frozen=True)
class Estimate:
    """How long the runs that are still to come will take, in seconds, and in words what that is known from.

    seconds: None when nothing is known.
    """

    seconds: float | None
    source: str


UNKNOWN = Estimate(None, "")


def estimate(
    recipes: Sequence[Recipe], runs: Sequence[Run], pace: dict | None = None, full: bool | None = None
) -> Estimate:
    """The time for recipes on one data set that are still to be run.

    runs: the history; those of the same model, data and pace of training count. pace: an answer of
    `prunekit.experiments.answers:training_pace`, for what no finished run tells. full: whether they train on the full
    data set; by default, whether it is there now.
    """
    if not recipes:
        return Estimate(0.0, "")
    if full is None:
        full = has_full_set(recipes[0].data) or recipes[0].data not in FULL_SETS
    timed = [run for run in runs if run.state == "finished" and (run.result or {}).get("wall_seconds")]
    timed = [run for run in timed if run.role != STUDY]  # of another machine
    found = [_from_runs(recipe, timed, full) for recipe in recipes]
    used = {run_id for one in found if one for run_id in one[1]}
    seconds = [one[0] if one else _from_pace(recipe, pace) for one, recipe in zip(found, recipes, strict=True)]
    if any(one is None for one in seconds):
        return UNKNOWN
    if not used:
        return Estimate(sum(seconds), _("from a measured step"))
    words = ngettext("from {n} earlier run", "from {n} earlier runs", len(used)).format(n=len(used))
    if all(found):
        return Estimate(sum(seconds), words)
    return Estimate(sum(seconds), _("{runs} and a measured step").format(runs=words))


def seconds_left(runs: Sequence[Run], now: float, before: float | None = None) -> float | None:
    """What is left of a sweep, from its own finished runs; None as long as none of its kind is finished.

    runs: all of the sweep; now: seconds since 1970; before: the estimate for a whole run that held before the first
    one was finished, in seconds.
    """
    own = [run for run in runs if run.state == "finished" and (run.result or {}).get("wall_seconds")]
    left = 0.0
    for run in runs:
        if run.is_over:
            continue
        like = [r for r in own if r.recipe["granularity"] == run.recipe["granularity"]] or own
        whole = statistics.median(r.result["wall_seconds"] for r in like) if like else before
        if whole is None:
            return None
        # A clock that was put back must not make a run longer than it is.
        gone = max(now - run.started, 0.0) if run.state != "queued" and run.started else 0.0
        left += max(whole - gone, 0.0)
    return left


def _from_runs(recipe: Recipe, timed: list[Run], full: bool) -> tuple[float, list[str]] | None:
    """Seconds of a recipe and the runs they come from: the most similar ones, scaled by their epochs."""
    like = [run for run in timed if _is_like(recipe, run, full)]
    if not like:
        return None
    best = min(_distance(recipe, run) for run in like)
    like = [run for run in like if _distance(recipe, run) == best]
    epochs = recipe.training.epochs + AROUND
    scaled = [run.result["wall_seconds"] * epochs / (run.recipe["training"]["epochs"] + AROUND) for run in like]
    return statistics.median(scaled), [run.id for run in like]


def _is_like(recipe: Recipe, run: Run, full: bool) -> bool:
    other = run.recipe
    same = (other["model"], other["data"], run.result.get("data_full")) == (recipe.model, recipe.data, full)
    alike = all(other["training"].get(name) == getattr(recipe.training, name) for name in LIKE_TRAINING)
    alike = alike and _trials(other) == _trials(recipe.to_plain())
    # Each step asks the teacher, too; runs of before there was one say nothing of it.
    return same and alike and bool(other["training"].get("distillation")) == bool(recipe.training.distillation)


def _trials(recipe: dict) -> tuple | None:
    """What the time hangs on that it takes to try each unit; None for criteria that do not, whose time is short."""
    known = scorer_descriptions().get(recipe["scorer"])
    if known is None or known.needs != "losses":
        return None
    amounts = (recipe["granularity"], recipe["target"], recipe["amount"]) if recipe["rounds"] > 1 else ()
    return recipe["scorer"], sorted(recipe["knobs"].items()), recipe["rounds"], *amounts


def _distance(recipe: Recipe, run: Run) -> tuple[bool, bool]:
    # Other epochs can be reckoned with; channels that are removed make every step cheaper, zeros do not.
    return run.recipe["granularity"] != recipe.granularity, run.recipe["training"]["epochs"] != recipe.training.epochs


def _from_pace(recipe: Recipe, pace: dict | None) -> float | None:
    if pace is None or _trials(recipe.to_plain()):
        return None
    epochs, rounds = recipe.training.epochs, recipe.rounds
    # Validation after every cut and epoch; at the end validation, as many training examples, and the test set.
    looks = (rounds + epochs + 2) * pace["validation"] + pace["test"]
    seconds = epochs * pace["train"] / pace["train_per_second"] + looks / pace["evaluate_per_second"]
    return AROUND_SECONDS + seconds
