"""What Explore draws: how the scores of a criterion lie, what a cut of them costs, where two cuts agree."""

import numpy as np

from prunekit.core.cards import model_card
from prunekit.core.cut_table import CutTable
from prunekit.core.cuts import ZEROED, Cut
from prunekit.core.errors import CannotPrune, CannotScore
from prunekit.core.language import _
from prunekit.data import calibration_set, load_dataset
from prunekit.experiments.answers.subjects import (
    check_has_data,
    groups_of,
    model_of,
    scan_of,
    scores_of,
)
from prunekit.selection import overlap, prune_cut, rank_correlation, sorted_scores
from prunekit.structure import channel_costs, example_inputs_of, weight_costs, weight_names, without_parts
from prunekit.surgery import masked_copy, remove_channels
from prunekit.training import quick_copy, recalibrated

BINS = 96
RECALIBRATION = 512  # training examples that batch norm is measured anew on
LOG_SPREAD = 50  # scores whose largest is this many times their median are drawn on a logarithmic axis


def exploration(model_id: str, scorer: str, knobs: dict, granularity: str, seed: int, calibration: int) -> dict:
    """Everything Explore draws for one criterion: the cut table, and histograms of scores and weights."""
    model = model_of(model_id)
    inputs = example_inputs_of(model)
    try:
        scores = scores_of(model_id, scorer, knobs, granularity, seed, calibration)
    except CannotPrune as error:
        sentence = _("{why} So channels cannot be pruned here; choose weights as granularity.")
        raise CannotPrune(sentence.format(why=error)) from error
    if granularity in ZEROED:
        costs = weight_costs(model, inputs, granularity)
        layer_of = weight_names(model)
        weights = {name: model.get_parameter(name).detach() for name in scores}
    else:
        groups = {group.name: group for group in groups_of(model_id) if group.prunable}
        costs = channel_costs(model, inputs, tuple(groups.values()))
        layer_of = {name: name for name in groups}
        weights = {name: model.get_parameter(f"{name}.weight").detach() for name in groups}
    ordered = sorted_scores(scores)
    left_out = [layer for name, layer in weight_names(model).items() if granularity in ZEROED and name not in ordered]
    return {
        "table": CutTable.of(ordered, costs, scores.kinds, scores.shapes).to_plain(),
        "rows": [
            {"name": name, "layer": layer_of[name], "label": layer_of[name], "units": len(values)}
            for name, values in ordered.items()
        ],
        "scores": {name: _score_histogram(values) for name, values in ordered.items()},
        "left_out": dict.fromkeys(left_out, without_parts(granularity)),
        "weights": {name: _histogram(values.flatten().numpy()) for name, values in weights.items()},
    }


def refusal(model_id: str, scorer: str, knobs: dict, granularity: str) -> str:
    """Why a criterion that looks at weights alone has no answer for a model, in one sentence; "" when it has one."""
    try:
        scores_of(model_id, scorer, knobs, granularity, 0, 0)
    except (CannotScore, CannotPrune) as error:
        return str(error)
    return ""


def preview(
    model_id: str,
    scorer: str,
    knobs: dict,
    granularity: str,
    seed: int,
    calibration: int,
    cut: dict,
    recalibrate: bool = False,
) -> dict:
    """The metric after a cut and before any fine-tuning, on a part of the validation set, with its interval.

    recalibrate: with the statistics of batch norm measured anew on training examples, which is not yet learning.
    """
    card = model_card(model_id)
    check_has_data(card)
    model = model_of(model_id)
    scores = scores_of(model_id, scorer, knobs, granularity, seed, calibration)
    mask, rescued = prune_cut(scores, Cut.from_plain(cut)).floored()
    if granularity in ZEROED:
        pruned = masked_copy(model, mask)
    else:
        pruned = remove_channels(model, mask, groups=groups_of(model_id))
    if recalibrate:
        data = load_dataset(card.data)
        pruned = recalibrated(quick_copy(pruned), calibration_set(data, min(RECALIBRATION, len(data.train)), seed))
    scan = scan_of(model_id)
    before, after = scan.baseline, scan.evaluate(pruned)
    return {
        "metric": after.metric,
        "value": after.value,
        "low": after.low,
        "high": after.high,
        "n": after.n,
        "baseline": before.value,
        "baseline_low": before.low,
        "baseline_high": before.high,
        "sparsity": mask.sparsity,
        "floor": list(rescued),
    }


def agreement(model_id: str, question_a: list, cut_a: dict, question_b: list, cut_b: dict) -> list[dict]:
    """Where two cuts of the same units agree, row by row.

    question_a, question_b: the other arguments of `exploration`, both of one granularity. Each row has its "name",
    "layer", how many units "both" keep, "only_a", "only_b" and "neither", and the "rank_correlation" of the scores.
    """
    granularity = question_b[2]
    pairs = []
    for (scorer, knobs, *rest), cut in ((question_a, cut_a), (question_b, cut_b)):
        scores = scores_of(model_id, scorer, knobs, *rest)
        pairs.append((scores, prune_cut(scores, Cut.from_plain(cut)).floored()[0]))
    (scores_a, mask_a), (scores_b, mask_b) = pairs
    layer_of = weight_names(model_of(model_id)) if granularity in ZEROED else {name: name for name in scores_b}
    return [
        {
            "name": name,
            "layer": layer_of[name],
            "rank_correlation": rank_correlation(scores_a[name], scores_b[name]),
        }
        | overlap(mask_a[name], mask_b[name])
        for name in scores_b
    ]


def _histogram(values: np.ndarray) -> dict:
    counts, edges = np.histogram(values, bins=BINS)
    return {"low": float(edges[0]), "high": float(edges[-1]), "counts": counts}


def _score_histogram(ordered: np.ndarray) -> dict:
    positive = ordered[ordered > 0]
    median = float(np.median(positive)) if len(positive) else 0.0
    log = ordered[0] >= 0 and median > 0 and float(positive[-1]) > LOG_SPREAD * median
    if not log:
        return _histogram(ordered) | {"log": False}
    # The lowest thousandth would stretch the axis over empty decades; it and the zeros share the first bin.
    low = float(positive[len(positive) // 1000])
    return _histogram(np.log10(np.maximum(ordered, low))) | {"log": True}
