"""`prunekit sensitivity`: how much of the metric each layer costs when it alone is cut."""

import copy
import dataclasses

from prunekit.commands.options import add_model, add_scoring, pairs
from prunekit.core.amounts import loss_text, metric_text, percent, spread_text
from prunekit.core.cards import model_card
from prunekit.core.cuts import TARGETS, Cut, check_fits, check_fraction
from prunekit.core.errors import BadSetting, NeedsData
from prunekit.core.language import N_, _
from prunekit.core.recipe import Recipe
from prunekit.core.sensitivity import SPARSITIES, Cell, added_up, allocation, keeping

HELP = N_("Measure what each layer can lose by itself, and find the cut that a loss allows.")
EXAMPLES = 1000


def arguments(parser) -> None:
    add_model(parser)
    add_scoring(parser)
    words = _("validation examples to measure on (default: {n})").format(n=EXAMPLES)
    parser.add_argument("--examples", type=int, default=EXAMPLES, help=words)
    parser.add_argument(
        "--lose", type=float, metavar="FRACTION", help=_("find a cut that loses at most this, 0.01 for one point")
    )
    parser.add_argument(
        "--most", choices=list(TARGETS), default="sparsity", help=_("what that cut prunes most of (default: sparsity)")
    )


def run(options) -> dict:
    """Prints, or returns as JSON, a cell for each row and sparsity; with --lose the cut and what it really costs."""
    from prunekit.commands.line import tell
    from prunekit.commands.scoring import scored
    from prunekit.data import load_dataset
    from prunekit.pruning import sensitivity
    from prunekit.training.allocation import keep_freed_memory
    from prunekit.training.threads import idle_threads, torch_threads

    card = model_card(options.model)
    if lack := card.lack_of_data():
        raise NeedsData(lack)
    if options.lose is None and options.most != "sparsity":
        raise BadSetting(_("--most says what a cut prunes most of; say with --lose what it may cost."))
    if options.lose is not None:  # before anything is measured
        check_fraction(options.lose, _("The loss to allow"))
        check_fits({options.granularity}, "layer", options.most)
    keep_freed_memory()
    recipe, model, scores = scored(options)
    validation = load_dataset(recipe.data).validation
    validation = validation.subset(min(max(options.examples, 1), len(validation)), seed=0)
    with torch_threads(idle_threads()):
        if not options.json:
            print(f"{'':16} " + " ".join(f"{percent(s, 0):>6}" for s in SPARSITIES))
        curves: dict[str, list[Cell]] = {name: [] for name in scores}

        def report(cell: Cell) -> None:
            curves[cell.row].append(cell)
            if len(curves[cell.row]) == len(SPARSITIES) and not options.json:
                print(f"{cell.row:16} " + " ".join(_text(c, card.task.percent) for c in curves[cell.row]), flush=True)

        cells = sensitivity(model, validation, scores, task=card.task, report=report)
        found = {"model": recipe.model, "scorer": recipe.scorer, "granularity": recipe.granularity}
        found |= {"examples": len(validation), "baseline": cells[0].baseline, "cells": [c.to_plain() for c in cells]}
        if options.lose is not None:
            found["cut"] = _cut(options, model, validation, scores, curves, card.task)
    if not options.json:
        points = _("In points of a percentage.") if card.task.percent else ""
        sentence = _(
            "What {criterion} costs; untouched, the metric is {baseline}. – is where nothing was pruned. {points}"
        )
        baseline = metric_text(cells[0].baseline, card.task.percent)
        tell(sentence.format(criterion=recipe.scorer, baseline=baseline, points=points).strip())
        if "cut" in found:
            _tell_cut(recipe, options, found["cut"], card.task.percent)
    return found


def _cut(options, model, validation, scores, curves, task) -> dict:
    """The cut that the losses of the rows allow; where as a whole it loses more, "searched" is one that does not."""
    from prunekit.pruning.remains import remains_of
    from prunekit.structure import example_inputs_of

    remains = remains_of(options.granularity, model, example_inputs_of(model))
    table = remains.table(scores)

    def trial(allowance: float) -> dict:
        sparsities = allocation(table, curves, allowance, options.most)
        return _measured(sparsities, copy.copy(remains), validation, scores, curves, task)

    found = trial(options.lose)
    if found["lost"] > options.lose + 1e-9:
        best = keeping(options.lose, trial, lambda tried: tried["lost"])
        found["searched"] = best if best and best["overrides"] else None
    return found


def _measured(sparsities, remains, validation, scores, curves, task) -> dict:
    """What a cut of some rows really costs; remains: of the untouched model, the caller's to give away."""
    from prunekit.selection import prune_cut
    from prunekit.training import evaluate, quick_copy

    remains.cut(prune_cut(scores, Cut(0.0, overrides=sparsities)))
    whole = evaluate(quick_copy(remains.model), validation, task)
    return {
        "overrides": sparsities,
        "sparsity": remains.sparsity,
        "lost_row_by_row": added_up(curves, sparsities),
        "lost": next(iter(curves.values()))[0].baseline - whole.value,
        **{name: value for name, value in whole.to_plain().items() if name in ("value", "low", "high")},
    }


def _tell_cut(recipe: Recipe, options, cut: dict, as_percent: bool) -> None:
    """The cut that keeps the loss, where there is one, or the one that does row by row."""
    from prunekit.commands.line import tell

    kept = cut.get("searched", cut)
    if kept is not cut:
        told = {name: loss_text(cut[name], as_percent) for name in ("lost", "lost_row_by_row")}
        sentence = _("Row by row a cut loses {lost_row_by_row}, as a whole {lost}: more than you allow.")
        more = _("Searched for one that keeps it.") if kept else _("No cut that was found keeps it.")
        tell(f"{sentence.format(**told)} {more}")
    shown = kept or cut
    knobs = pairs(options.knob, "--knob")
    recipe = dataclasses.replace(recipe, knobs=knobs, target="sparsity", amount=0.0, overrides=shown["overrides"])
    _print_cut(recipe, shown, as_percent)


def _print_cut(recipe: Recipe, cut: dict, as_percent: bool) -> None:
    """In words, and as the command that prunes so."""
    told = {name: loss_text(cut[name], as_percent) for name in ("lost", "lost_row_by_row")}
    sentence = _("A cut of {sparsity} of all units: row by row it costs {lost_row_by_row}, really {lost}.")
    print(sentence.format(sparsity=percent(cut["sparsity"]), **told))
    print(recipe.command())


def _text(cell: Cell, as_percent: bool) -> str:
    return f"{'–' if cell.drop is None else spread_text(cell.drop, as_percent, 1):>6}"
