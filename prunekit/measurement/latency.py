"""How long a forward pass takes: medians of warm runs, and two networks measured turn by turn."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import nn
from torch.utils._pytree import tree_map

from prunekit.core.errors import Stopped
from prunekit.core.language import _
from prunekit.structure.inputs import batch_size, example_inputs_of, forward, run
from prunekit.structure.tracing_copy import tracing_copy

SAMPLE_SECONDS = 0.002  # a timed sample repeats the forward pass until it is at least this long
LEAST_RUNS = 7  # samples, however slow the network
MOST_RUNS = 400
WARM_UP = 3

Clock = Callable[[], float]


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one forward pass of a whole batch: median, lower and upper quartile over `runs` samples."""

    median_ms: float
    low_ms: float
    high_ms: float
    runs: int

    def to_plain(self) -> dict:
        return asdict(self)


def latency(
    model: nn.Module,
    example_inputs=None,
    batch_size: int = 1,
    seconds: float = 1.0,
    should_stop: Callable[[], bool] | None = None,
    clock: Clock = time.perf_counter,
) -> Latency:
    """The latency of a network at one batch size, in eval mode and inference mode, on the threads PyTorch has.

    seconds: how long to measure, about (at least 7 samples are taken). Raises Stopped when `should_stop()` says so.
    """
    inputs = of_batch_size(example_inputs_of(model, example_inputs), batch_size)
    samples = _interleaved([tracing_copy(model)], inputs, seconds, should_stop, clock)
    return _summary(samples[:, 0])


def compare_latency(
    dense: nn.Module,
    pruned: nn.Module,
    example_inputs=None,
    batch_sizes: Sequence[int] = (1, 64),
    seconds: float = 1.5,
    should_stop: Callable[[], bool] | None = None,
    clock: Clock = time.perf_counter,
) -> dict[int, dict]:
    """Two networks timed in one process, turn by turn, so that whatever else the machine does hits both alike.

    Returns for each batch size the milliseconds `before_ms, before_low_ms, before_high_ms` (median and quartiles of
    `dense`), the same three with `after`, and `speedup, speedup_low, speedup_high`: median and quartiles of before /
    after over pairs of neighbouring samples, and `runs`, the number of pairs. Raises Stopped.
    """
    inputs = example_inputs_of(dense, example_inputs)
    pair = [tracing_copy(dense), tracing_copy(pruned)]
    compared = {}
    for size in batch_sizes:
        samples = _interleaved(pair, of_batch_size(inputs, size), seconds, should_stop, clock)
        before, after = _summary(samples[:, 0]), _summary(samples[:, 1])
        low, middle, high = np.percentile(samples[:, 0] / samples[:, 1], [25, 50, 75])
        compared[int(size)] = {
            "before_ms": before.median_ms,
            "before_low_ms": before.low_ms,
            "before_high_ms": before.high_ms,
            "after_ms": after.median_ms,
            "after_low_ms": after.low_ms,
            "after_high_ms": after.high_ms,
            "speedup": float(middle),
            "speedup_low": float(low),
            "speedup_high": float(high),
            "runs": before.runs,
        }
    return compared


def of_batch_size(inputs, size: int):
    """The same inputs in a batch of `size`: the examples given, over and over."""
    given = batch_size(inputs)

    def resized(value):
        if not isinstance(value, torch.Tensor) or not value.dim() or value.shape[0] != given:
            return value
        return value[torch.arange(size) % given].contiguous()

    return tree_map(resized, inputs)


def _interleaved(models: list[nn.Module], inputs, seconds: float, should_stop, clock: Clock) -> np.ndarray:
    """Seconds of one forward pass, shape (runs, models): a run times every model once, one after the other."""
    samples: list[list[float]] = []
    with torch.inference_mode():
        repeats = []
        for model in models:
            for _turn in range(WARM_UP):
                run(model, inputs)
            single = _timed(model, inputs, 1, clock)
            repeats.append(max(1, int(np.ceil(SAMPLE_SECONDS / max(single, 1e-7)))))
        end = clock() + seconds
        while len(samples) < LEAST_RUNS or (clock() < end and len(samples) < MOST_RUNS):
            if should_stop is not None and should_stop():
                raise Stopped(_("The measurement was stopped."))
            # Who goes first changes from run to run: the first of a pair meets the colder cache.
            order = range(len(models)) if len(samples) % 2 == 0 else reversed(range(len(models)))
            row = [0.0] * len(models)
            for i in order:
                row[i] = _timed(models[i], inputs, repeats[i], clock)
            samples.append(row)
    return np.array(samples)


def _timed(model: nn.Module, inputs, repeats: int, clock: Clock) -> float:
    """Mean seconds of a forward pass over `repeats` of them."""
    start = clock()
    for _turn in range(repeats):
        forward(model, inputs)
    return max(clock() - start, 1e-9) / repeats


def _summary(seconds: np.ndarray) -> Latency:
    low, middle, high = (float(1000 * value) for value in np.percentile(seconds, [25, 50, 75]))
    return Latency(middle, low, high, len(seconds))
