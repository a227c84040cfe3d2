"""The questions that pages ask of a model: what it is made of, how its scores lie, what a cut would cost it.

Each function takes the id of a model first and returns plain values and arrays; it runs in a worker of the engine.
"""

import functools

import numpy as np
import torch

from prunekit.core.cards import model_card
from prunekit.core.cut_table import CutTable
from prunekit.core.cuts import Cut
from prunekit.core.errors import NeedsData
from prunekit.core.language import _
from prunekit.data import calibration_set, load_dataset
from prunekit.models import load_model
from prunekit.scoring import SCORERS, score
from prunekit.selection import prune_cut, sorted_scores
from prunekit.structure import channel_costs, channel_groups, example_inputs_of, layers, weight_costs, weight_names
from prunekit.surgery import masked_copy, remove_channels
from prunekit.training import evaluate, quick_copy

BINS = 96
LOG_SPREAD = 50  # scores whose largest is this many times their median are drawn on a logarithmic axis
PREVIEW_EXAMPLES = 1000


def summary(model_id: str) -> dict:
    """What a model is made of: its layers in the order they run, and the channels that go together."""
    model = _model(model_id)
    inputs = example_inputs_of(model)
    found = layers(model, inputs)
    groups = channel_groups(model, inputs)
    totals = weight_costs(model, inputs)
    whole = totals.totals(np.array([model.get_parameter(name).numel() for name in weight_names(model)]))
    return {
        "model": model_id,
        "parameters": whole["parameters"],
        "macs": whole["macs"],
        "bytes": whole["bytes"],
        "layers": [
            {
                "name": layer.name,
                "kind": layer.kind,
                "shape": list(layer.shape),
                "output_shape": list(layer.output_shape),
                "parameters": layer.parameters,
                "macs": layer.macs,
                "prunable": layer.prunable,
                "reason": layer.reason,
            }
            for layer in found
        ],
        "groups": [
            {
                "name": group.name,
                "units": group.units,
                "layers": sorted({member.layer for member in group.members}),
                "prunable": group.prunable,
                "problem": group.problem,
                "exact": group.exact,
                "inexact_because": group.inexact_because,
            }
            for group in groups
        ],
    }


def exploration(model_id: str, scorer: str, knobs: dict, granularity: str, seed: int, calibration: int) -> dict:
    """Everything Explore draws for one criterion: the cut table, and histograms of scores and weights."""
    model = _model(model_id)
    scores = _scores(model_id, scorer, tuple(sorted(knobs.items())), granularity, seed, calibration)
    inputs = example_inputs_of(model)
    if granularity == "weight":
        costs = weight_costs(model, inputs)
        layer_of = weight_names(model)
        weights = {name: model.get_parameter(name).detach() for name in scores}
    else:
        groups = {group.name: group for group in channel_groups(model, inputs) if group.prunable}
        costs = channel_costs(model, inputs, tuple(groups.values()))
        layer_of = {name: name for name in groups}
        weights = {name: model.get_parameter(f"{name}.weight").detach() for name in groups}
    ordered = sorted_scores(scores)
    return {
        "table": CutTable.of(ordered, costs).to_plain(),
        "rows": [
            {"name": name, "layer": layer_of[name], "label": layer_of[name], "units": len(values)}
            for name, values in ordered.items()
        ],
        "scores": {name: _score_histogram(values) for name, values in ordered.items()},
        "weights": {name: _histogram(values.flatten().numpy()) for name, values in weights.items()},
    }


def preview(model_id: str, scorer: str, knobs: dict, granularity: str, seed: int, calibration: int, cut: dict) -> dict:
    """The metric after a cut and before any fine-tuning, on a part of the validation set, with its interval."""
    model = _model(model_id)
    scores = _scores(model_id, scorer, tuple(sorted(knobs.items())), granularity, seed, calibration)
    mask, rescued = prune_cut(scores, Cut.from_plain(cut)).floored()
    pruned = masked_copy(model, mask) if granularity == "weight" else remove_channels(model, mask)
    before = _baseline(model_id)
    after = evaluate(quick_copy(pruned), _preview_split(model_id), model_card(model_id).task)
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


# Read-only and shared by everyone who asks: nothing here is ever changed or handed out.
@functools.lru_cache(maxsize=8)
def _model(model_id: str) -> torch.nn.Module:
    return load_model(model_id).requires_grad_(False)


@functools.lru_cache(maxsize=8)
def _scores(model_id: str, scorer: str, knobs: tuple, granularity: str, seed: int, calibration: int):
    card = model_card(model_id)
    examples = None
    if scorer in SCORERS and SCORERS[scorer].needs != "weights":
        if calibration < 1:
            sentence = _("The criterion “{scorer}” looks at data; give it a calibration set.")
            raise NeedsData(sentence.format(scorer=scorer))
        examples = calibration_set(load_dataset(card.data), calibration, seed)
    return score(
        _model(model_id),
        scorer,
        granularity=granularity,
        calibration=examples,
        task=card.task,
        seed=seed,
        **dict(knobs),
    )


@functools.lru_cache(maxsize=8)
def _preview_split(model_id: str):
    validation = load_dataset(model_card(model_id).data).validation
    return validation.subset(min(PREVIEW_EXAMPLES, len(validation)), seed=0)


@functools.lru_cache(maxsize=8)
def _baseline(model_id: str):
    return evaluate(quick_copy(_model(model_id)), _preview_split(model_id), model_card(model_id).task)


def _histogram(values: np.ndarray) -> dict:
    counts, edges = np.histogram(values, bins=BINS)
    return {"low": float(edges[0]), "high": float(edges[-1]), "counts": counts}


def _score_histogram(ordered: np.ndarray) -> dict:
    positive = ordered[ordered > 0]
    median = float(np.median(positive)) if len(positive) else 0.0
    log = median > 0 and float(positive[-1]) > LOG_SPREAD * median
    if not log:
        return _histogram(ordered) | {"log": False}
    # The lowest thousandth would stretch the axis over empty decades; it and the zeros share the first bin.
    low = float(positive[len(positive) // 1000])
    return _histogram(np.log10(np.maximum(ordered, low))) | {"log": True}
