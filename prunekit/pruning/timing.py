"""Dense against pruned, measured side by side: the only thing that is called a speedup."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import torch

from prunekit.measurement import compare_latency, environment, why_not_faster
from prunekit.models import build, load
from prunekit.structure import count_macs, example_inputs_of

BATCH_SIZES = (1, 64)
HEADLINE_BATCH = 64  # the batch size of `latency_ms_before`, `latency_ms_after` and `speedup`


def time_models(dense: torch.nn.Module, pruned: torch.nn.Module, should_stop: Callable[[], bool] | None = None) -> dict:
    """The latency figures of a run's result: medians of interleaved pairs at batch 1 and 64.

    Beside each batch size stands "reason": why time does not follow MACs, or "" where it does.
    """
    inputs = example_inputs_of(dense)
    measured = compare_latency(dense, pruned, inputs, batch_sizes=BATCH_SIZES, should_stop=should_stop)
    before, after = _counts(dense, inputs), _counts(pruned, inputs)
    channels = {n: m.weight.shape[0] for n, m in pruned.named_modules() if isinstance(m, torch.nn.modules.conv._ConvNd)}
    for figures in measured.values():
        speedup, milliseconds = figures["speedup"], figures["before_ms"]
        reason = why_not_faster(before, after, speedup=speedup, before_ms=milliseconds, channels=channels)
        figures["reason"] = reason
    headline = measured[HEADLINE_BATCH]
    return {
        "latency": {str(batch): figures for batch, figures in measured.items()},
        "latency_batch": HEADLINE_BATCH,
        "latency_ms_before": headline["before_ms"],
        "latency_ms_after": headline["after_ms"],
        "speedup": headline["speedup"],
        "latency_environment": environment(),
    }


def _counts(model: torch.nn.Module, inputs) -> dict[str, int]:
    parameters = list(model.parameters())
    return {
        "parameters": sum(p.numel() for p in parameters),
        "nonzero": sum(int(p.count_nonzero()) for p in parameters),
        "macs": count_macs(model, inputs),
    }


def time_files(files: dict[str, bytes]) -> dict:
    """The same for the saved files of a run. The dense net is built anew: its time is that of any weights."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        pruned = load(folder)
    blueprint = pruned.blueprint
    dense = build(blueprint["architecture"], blueprint["arguments"]).eval()
    return time_models(dense, pruned)
