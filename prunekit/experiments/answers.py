"""The questions that pages ask of a model: what it is made of, how its scores lie, what a cut would cost it.

Each function takes the id of a model first and returns plain values and arrays; it runs in a worker of the engine.
"""

import contextlib
import copy
import dataclasses
import functools
import itertools
import time

import numpy as np
import psutil
import torch

from prunekit.core.amounts import compact, size
from prunekit.core.cards import ModelCard, model_card
from prunekit.core.cut_table import CutTable
from prunekit.core.cuts import Cut
from prunekit.core.data_folder import part_at_hand
from prunekit.core.errors import CannotPrune, CannotScore, NeedsData, PrunekitError, Stopped
from prunekit.core.language import _, ngettext
from prunekit.core.recipe import Training
from prunekit.core.settings import settings_of
from prunekit.data import calibration_set, load_dataset
from prunekit.experiments.processes import ANSWERS
from prunekit.experiments.recent import recent
from prunekit.measurement import compare_latency, latency
from prunekit.models import load_model
from prunekit.models.published import fetched_or_later
from prunekit.scoring import SCORERS, Scorer, score, scorer_of
from prunekit.selection import overlap, prune_cut, rank_correlation, sorted_scores
from prunekit.structure import channel_costs, channel_groups, example_inputs_of, layers, weight_costs, weight_names
from prunekit.surgery import masked_copy, remove_channels
from prunekit.training import evaluate, quick_copy, train
from prunekit.training.threads import idle_threads, torch_threads

BINS = 96
LOG_SPREAD = 50  # scores whose largest is this many times their median are drawn on a logarithmic axis
PREVIEW_EXAMPLES = 1000
MEASURING_SECONDS = 30  # the longest that measuring a loss for each unit may keep others from their answers
MOST_BYTES = 2**30  # of networks, and of scores, that are kept for the next question

# Measured while all weights of VGG-16 (138 M) are ranked: 3.4 GB at the peak, 0.75 of them without any network.
OWN_BYTES, BYTES_PER_PARAMETER = 750_000_000, 20
PACE_SECONDS = 0.7
LATENCY_SECONDS = 2.0
PACE_WARM_UP = 3  # steps that choose kernels and fetch memory, and do not count


def summary(model_id: str) -> dict:
    """What a model is made of: its layers in the order they run, and the channels that go together."""
    model = _model(model_id)
    inputs = example_inputs_of(model)
    found = layers(model, inputs)
    groups, untraced = _groups_or_reason(model, inputs)
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
        "untraced": untraced,
    }


def exploration(model_id: str, scorer: str, knobs: dict, granularity: str, seed: int, calibration: int) -> dict:
    """Everything Explore draws for one criterion: the cut table, and histograms of scores and weights."""
    model = _model(model_id)
    inputs = example_inputs_of(model)
    try:
        scores = _scores(model_id, scorer, tuple(sorted(knobs.items())), granularity, seed, calibration)
    except CannotPrune as error:
        sentence = _("{why} So channels cannot be pruned here; choose weights as granularity.")
        raise CannotPrune(sentence.format(why=error)) from error
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
        "table": CutTable.of(ordered, costs, scores.kinds, scores.sides).to_plain(),
        "rows": [
            {"name": name, "layer": layer_of[name], "label": layer_of[name], "units": len(values)}
            for name, values in ordered.items()
        ],
        "scores": {name: _score_histogram(values) for name, values in ordered.items()},
        "weights": {name: _histogram(values.flatten().numpy()) for name, values in weights.items()},
    }


def refusal(model_id: str, scorer: str, knobs: dict, granularity: str) -> str:
    """Why a criterion that looks at weights alone has no answer for a model, in one sentence; "" when it has one."""
    try:
        _scores(model_id, scorer, tuple(sorted(knobs.items())), granularity, 0, 0)
    except (CannotScore, CannotPrune) as error:
        return str(error)
    return ""


def preview(model_id: str, scorer: str, knobs: dict, granularity: str, seed: int, calibration: int, cut: dict) -> dict:
    """The metric after a cut and before any fine-tuning, on a part of the validation set, with its interval."""
    _check_has_data(model_card(model_id))
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


def agreement(model_id: str, question_a: list, cut_a: dict, question_b: list, cut_b: dict) -> list[dict]:
    """Where two cuts of the same units agree, row by row.

    question_a, question_b: the other arguments of `exploration`, both of one granularity. Each row has its "name",
    "layer", how many units "both" keep, "only_a", "only_b" and "neither", and the "rank_correlation" of the scores.
    """
    granularity = question_b[2]
    pairs = []
    for (scorer, knobs, *rest), cut in ((question_a, cut_a), (question_b, cut_b)):
        scores = _scores(model_id, scorer, tuple(sorted(knobs.items())), *rest)
        pairs.append((scores, prune_cut(scores, Cut.from_plain(cut)).floored()[0]))
    (scores_a, mask_a), (scores_b, mask_b) = pairs
    layer_of = weight_names(_model(model_id)) if granularity == "weight" else {name: name for name in scores_b}
    return [
        {
            "name": name,
            "layer": layer_of[name],
            "rank_correlation": rank_correlation(scores_a[name], scores_b[name]),
        }
        | overlap(mask_a[name], mask_b[name])
        for name in scores_b
    ]


def training_pace(model_id: str, batch_size: int, precision: str, distillation: float, moment: int) -> dict:
    """How fast this machine trains and evaluates the untouched model just now, measured for about a second.

    precision, distillation: as in the settings of training; moment: any number, another one asks for another
    measurement.
    {"train", "validation", "test"} are the examples of each part, {"train_per_second", "evaluate_per_second"} the pace.
    """
    card, data = model_card(model_id), load_dataset(model_card(model_id).data)
    steps: list[float] = []

    def enough() -> bool:
        steps.append(time.perf_counter())
        return len(steps) > PACE_WARM_UP + 1 and steps[-1] - steps[PACE_WARM_UP] > PACE_SECONDS

    size = min(batch_size, len(data.train))
    settings = Training(epochs=1, batch_size=size, precision=precision, distillation=distillation)
    with torch_threads(idle_threads()):
        with contextlib.suppress(Stopped):
            copied = copy.deepcopy(_model(model_id)).requires_grad_(True)
            train(copied, data.train, card.task, settings, teacher=_model(model_id), should_stop=enough)
        steps = steps[min(PACE_WARM_UP, len(steps) - 2) :] if len(steps) > 1 else [steps[0], time.perf_counter()]
        trained = settings.batch_size * (len(steps) - 1) / (steps[-1] - steps[0])
        model, batches = quick_copy(_model(model_id)), list(itertools.islice(data.validation.batches(256), 4))
        evaluate(model, batches[:1], card.task)
        before = time.perf_counter()
        seen = evaluate(model, batches, card.task).n
        evaluated = seen / (time.perf_counter() - before)
    return {
        "train": len(data.train),
        "validation": len(data.validation),
        "test": len(data.test),
        "train_per_second": trained,
        "evaluate_per_second": evaluated,
    }


def measured_latency(model_id: str, batch_size: int, moment: int) -> dict:
    """The time of one batch of random inputs on the cores that are idle just now: as `Latency`, and "threads".

    moment: any number, another one asks for another measurement.
    """
    model, threads = _model(model_id), idle_threads()
    with torch_threads(threads):
        return latency(model, batch_size=batch_size, seconds=LATENCY_SECONDS).to_plain() | {"threads": threads}


def bounds_latency(
    model_id: str,
    scorer: str,
    knobs: dict,
    granularity: str,
    seed: int,
    calibration: int,
    cut: dict,
    batch_size: int,
    moment: int,
) -> dict:
    """What the rounding and the floor of a cut of channels gain: the removed network without them timed against it.

    As `compare_latency` of the batch size, and "threads". moment: any number, another one asks for another measurement.
    """
    model, bounded = _model(model_id), Cut.from_plain(cut)
    scores = _scores(model_id, scorer, tuple(sorted(knobs.items())), granularity, seed, calibration)
    free = dataclasses.replace(bounded, round_to=1, floor=1)
    pair = [remove_channels(model, prune_cut(scores, one).floored()[0]) for one in (free, bounded)]
    threads = idle_threads()
    with torch_threads(threads):
        found = compare_latency(*pair, example_inputs_of(model), (batch_size,), LATENCY_SECONDS)
    return found[batch_size] | {"threads": threads}


def _scores(model_id: str, *question):
    return _scores_on(part_at_hand(model_card(model_id).data), model_id, *question)


def _preview_split(model_id: str):
    return _preview_split_of(part_at_hand(model_card(model_id).data), model_id)


def _baseline(model_id: str):
    return _baseline_on(part_at_hand(model_card(model_id).data), model_id)


# Read-only and shared by everyone who asks: nothing here is ever changed or handed out. What depends on the data is
# kept for the part of it that was there: the full set may arrive while this worker runs.
@recent(lambda model: sum(p.nbytes for p in model.parameters()), MOST_BYTES)
def _model(model_id: str) -> torch.nn.Module:
    card = model_card(model_id)
    _check_fits(card)
    if card.weights_from == "download":
        # Beside the answers, which would all wait for it.
        fetched_or_later(card)
    return load_model(model_id).requires_grad_(False)


@recent(lambda scores: sum(entry.nbytes for entry in scores.values()), MOST_BYTES)
def _scores_on(part: str, model_id: str, scorer: str, knobs: tuple, granularity: str, seed: int, calibration: int):
    card = model_card(model_id)
    examples = None
    if scorer in SCORERS and SCORERS[scorer].needs != "weights":
        _check_has_data(card)
        if calibration < 1:
            sentence = _("The criterion “{scorer}” looks at data; give it a calibration set.")
            raise NeedsData(sentence.format(scorer=scorer))
        examples = calibration_set(load_dataset(card.data), calibration, seed)
        if SCORERS[scorer].needs == "losses":
            _check_soon_measured(_model(model_id), examples, scorer_of(scorer, **dict(knobs)))
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
def _preview_split_of(part: str, model_id: str):
    validation = load_dataset(model_card(model_id).data).validation
    return validation.subset(min(PREVIEW_EXAMPLES, len(validation)), seed=0)


@functools.lru_cache(maxsize=8)
def _baseline_on(part: str, model_id: str):
    return evaluate(quick_copy(_model(model_id)), _preview_split(model_id), model_card(model_id).task)


def _groups_or_reason(model: torch.nn.Module, inputs) -> tuple[tuple, str]:
    """The channel groups; where they cannot be found none, and why, since single weights can be pruned all the same."""
    try:
        return channel_groups(model, inputs), ""
    except CannotPrune as error:
        return (), str(error)


def _check_fits(card: ModelCard) -> None:
    """Refuses what would end the worker, and with it the answers that others wait for."""
    limit = psutil.virtual_memory().total * ANSWERS.memory
    needed = OWN_BYTES + BYTES_PER_PARAMETER * card.parameters
    if needed > limit:
        sentence = _(
            "{model} has {n} parameters: looking into it takes about {needed} of memory, and on this machine there "
            "are {limit} for it; take a smaller one."
        )
        told = {"n": compact(card.parameters), "needed": size(needed), "limit": size(limit)}
        raise PrunekitError(sentence.format(model=_(card.title), **told))


def _check_soon_measured(model: torch.nn.Module, batches: list, scorer: Scorer) -> None:
    """Refuses to run a network once for each of its channels where others would wait too long for their answers."""
    units, examples = sum(group.units for group in channel_groups(model) if group.prunable), scorer.examples
    inputs = batches[0][0][:examples]
    with torch.no_grad():
        model(inputs)  # chooses kernels, fetches memory
        before = time.perf_counter()
        model(inputs)
        once = (time.perf_counter() - before) * min(examples, sum(len(x) for x, _y in batches)) / len(inputs)
    if units * once > MEASURING_SECONDS:
        minutes = max(round(units * once / 60), 1)
        sentence = ngettext(
            "To read the loss without each of {units} channels takes about {n} minute here, while others wait. "
            "A run on Prune has the time",
            "To read the loss without each of {units} channels takes about {n} minutes here, while others wait. "
            "A run on Prune has the time",
            minutes,
        ).format(units=units, n=minutes)
        few = int(examples * MEASURING_SECONDS / (units * once))
        if few >= next(s.low for s in settings_of(scorer) if s.name == "examples"):
            sentence += _("; here take at most {few} examples").format(few=few)
        raise CannotScore(sentence + ".")


def _check_has_data(card: ModelCard) -> None:
    if lack := card.lack_of_data():
        raise NeedsData(lack)


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
