"""What is measured when somebody asks: the pace of training, the latency of a model, what rounding a cut gains."""

import contextlib
import copy
import dataclasses
import itertools
import time

from prunekit.core.cards import model_card
from prunekit.core.cuts import Cut
from prunekit.core.errors import Stopped
from prunekit.core.recipe import Training
from prunekit.data import load_dataset
from prunekit.experiments.answers.subjects import groups_of, model_of, scores_of
from prunekit.measurement import compare_latency, latency
from prunekit.selection import prune_cut
from prunekit.structure import example_inputs_of
from prunekit.surgery import remove_channels
from prunekit.training import evaluate, quick_copy, train
from prunekit.training.threads import idle_threads, torch_threads

PACE_SECONDS = 0.7
LATENCY_SECONDS = 2.0
PACE_WARM_UP = 3  # steps that choose kernels and fetch memory, and do not count


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
            copied = copy.deepcopy(model_of(model_id)).requires_grad_(True)
            train(copied, data.train, card.task, settings, teacher=model_of(model_id), should_stop=enough)
        steps = steps[min(PACE_WARM_UP, len(steps) - 2) :] if len(steps) > 1 else [steps[0], time.perf_counter()]
        trained = settings.batch_size * (len(steps) - 1) / (steps[-1] - steps[0])
        model, batches = quick_copy(model_of(model_id)), list(itertools.islice(data.validation.batches(256), 4))
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
    model, threads = model_of(model_id), idle_threads()
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
    model, bounded = model_of(model_id), Cut.from_plain(cut)
    scores = scores_of(model_id, scorer, knobs, granularity, seed, calibration)
    free = dataclasses.replace(bounded, round_to=1, floor=1)
    groups = groups_of(model_id)
    pair = [remove_channels(model, prune_cut(scores, one).floored()[0], groups=groups) for one in (free, bounded)]
    threads = idle_threads()
    with torch_threads(threads):
        found = compare_latency(*pair, example_inputs_of(model), (batch_size,), LATENCY_SECONDS)
    return found[batch_size] | {"threads": threads}
