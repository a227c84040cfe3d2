"""How fast what-if answers are, each against the same work done the ordinary way, in turns in one process."""

import copy
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import psutil

from prunekit.core.cards import model_card, model_cards
from prunekit.core.threads import PATIENCE
from tests.results import ROOT, Row

BATCH = 256
EXAMPLES = 1000
PAIRS = 3
SIDE = 64  # of the images for VGG-16: at 224 the passes through the network take half a minute and hide the rest
AMOUNTS = [0.04 + 0.045 * step for step in range(20)]  # of a sweep of previews
CRITERIA = ("magnitude", "taylor", "random")
DEEP = "resnet56-cifar10"
SMALL = "lenet-fashion"
SCANNED = (0.2, 0.5, 0.8)  # of the nine sparsities: each costs the same, and the whole scan takes minutes
TIE = 1e-4  # outputs this near are a tie: which of them is larger hangs on the last bits


def measure_mask() -> list[Row]:
    """A global mask on 138 M parameters, from the weights to the mask."""
    found = _in_a_process("mask")
    what = "L1 mask of half of all weights of a VGG-16 (138 M), theirs (global_unstructured) over ours, same counts"
    return [_ratio("global_mask_vs_torch_ratio", found, ">= 15", what)]


def measure_taylor() -> list[Row]:
    """Taylor scores of all channels of a VGG-16."""
    found = _in_a_process("taylor")
    what = f"Taylor scores of a VGG-16's channels on 32 images of {SIDE} x {SIDE} with the gradients, Torch-Pruning's"
    what += " over ours"
    return [_ratio("taylor_vs_torch_pruning_ratio", found, ">= 1", what)]


def measure_sensitivity() -> list[Row]:
    """What each layer can lose, of a deep network, where it is among the sample models, and of a small one."""
    small = _in_a_process("small")
    rows = [
        Row(
            "sensitivity_lenet_s",
            round(statistics.median(small["seconds"]), 2),
            "s",
            "<= 5",
            f"{min(small['seconds']):.2f} to {max(small['seconds']):.2f} s over {len(small['seconds'])} scans",
            f"whole sensitivity scan of {SMALL}: {small['cells']} cells on {EXAMPLES} validation images",
        )
    ]
    if DEEP in model_cards():
        deep = _in_a_process("sensitivity")
        what = f"sensitivity of {DEEP}, {deep['what']}: mask, evaluate, unmask in eager float32 over ours"
        rows.append(_ratio("sensitivity_resnet56_ratio", deep, ">= 3", what))
    return rows


def measure_previews() -> list[Row]:
    """A sweep of previews, on channels and on weights."""
    rows = []
    for granularity, goal in (("channels", ">= 2.5"), ("weights", ">= 1.5")):
        found = _in_a_process(granularity)
        what = (
            f"{len(AMOUNTS)} previews x {len(CRITERIA)} criteria of {granularity} on resnet20-cifar10: copy, mask and "
        )
        what += f"evaluate in eager float32 over ours, batch {BATCH}"
        rows.append(_ratio(f"preview_sweep_{granularity}_ratio", found, goal, what))
    return rows


def _ratio(name: str, found: dict, goal: str, what: str) -> Row:
    """found: {"pairs": seconds of theirs and ours, in turns}."""
    ratios = sorted(theirs / ours for theirs, ours in found["pairs"])
    theirs, ours = (statistics.median(pair[i] for pair in found["pairs"]) for i in (0, 1))
    spread = f"{ratios[0]:.2f} to {ratios[-1]:.2f} over {len(ratios)} pairs; {theirs:.3g} against {ours:.3g} s"
    return Row(name, round(statistics.median(ratios), 3), "x", goal, spread, what)


def _in_a_process(what: str) -> dict:
    words = [sys.executable, "-m", "tests.benchmarks.deciding", what]
    done = subprocess.run(
        words, cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ | PATIENCE, timeout=1200
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


# -- in the measuring process ---------------------------------------------------------------------------------


def _mask() -> dict:
    import torch
    import torchvision
    from torch.nn.utils import prune

    import prunekit

    _settle()
    model = torchvision.models.vgg16(weights=None).eval()
    inputs = torch.zeros(1, 3, 224, 224)
    layers = [m for m in model.modules() if isinstance(m, (torch.nn.Conv2d, torch.nn.Linear))]

    def theirs() -> int:
        parameters = [(layer, "weight") for layer in layers]
        prune.global_unstructured(parameters, pruning_method=prune.L1Unstructured, amount=0.5)
        return sum(int(layer.weight_mask.count_nonzero()) for layer in layers)

    def ours() -> prunekit.Mask:
        scores = prunekit.score(model, "magnitude", granularity="weight", example_inputs=inputs)
        return prunekit.prune_lowest(scores, 0.5)

    pairs = []
    for _turn in range(PAIRS):
        ours_s, mask = _timed(ours)
        theirs_s, kept = _timed(theirs)
        assert kept == mask.kept, f"{kept} and {mask.kept} are kept"
        for layer in layers:  # their masks away again
            layer.weight_mask.fill_(1)
            prune.remove(layer, "weight")
        pairs.append((theirs_s, ours_s))
    return {"pairs": pairs}


def _taylor() -> dict:
    import torch
    import torch_pruning as tp
    import torchvision

    import prunekit
    from prunekit.structure import channel_groups

    _settle()
    torch.manual_seed(0)
    model = torchvision.models.vgg16(weights=None).eval()
    examples, targets = torch.randn(32, 3, SIDE, SIDE), torch.randint(0, 1000, (32,))
    # What hangs together is found once by both, as it is for the criteria that somebody looks at one after another.
    net, inputs = copy.deepcopy(model), torch.zeros(1, 3, SIDE, SIDE)
    kinds = [torch.nn.Conv2d, torch.nn.Linear]
    graph = tp.DependencyGraph().build_dependency(net, example_inputs=inputs)
    their_groups, groups = list(graph.get_all_groups(root_module_types=kinds)), channel_groups(model, inputs)

    def theirs() -> list:
        net.zero_grad()
        torch.nn.functional.cross_entropy(net(examples), targets).backward()
        importance = tp.importance.GroupTaylorImportance()
        return [importance(group) for group in their_groups]

    def ours():
        given = {"calibration": [(examples, targets)], "example_inputs": inputs, "groups": groups}
        return prunekit.score(model, "taylor", granularity="channel", **given)

    pairs = []
    for _turn in range(PAIRS + 1):
        theirs_s, found = _timed(theirs)
        ours_s, scores = _timed(ours)
        # Theirs has the outputs of the network too, which nobody prunes.
        assert len(found) == len(scores) + 1
        pairs.append((theirs_s, ours_s))
    return {"pairs": pairs[1:]}


def _sensitivity() -> dict:
    """All rows at some of the sparsities; the ordinary way at every fifth of those cells, and both predict the same."""
    import torch

    import prunekit
    from prunekit.core.sensitivity import SPARSITIES
    from prunekit.pruning.scan import Scan
    from prunekit.structure import channel_groups

    _settle()
    model, task = prunekit.load_model(DEEP), model_card(DEEP).task
    batches = list(prunekit.load_dataset("cifar10", prefer="shipped").validation.subset(EXAMPLES).batches(BATCH))
    groups, scores = channel_groups(model), prunekit.score(model, "magnitude", granularity="channel")
    cells = [(row, sparsity) for row in scores for sparsity in SCANNED]
    checked = cells[:: max(len(cells) // 18, 1)]
    begun, scan = _timed(lambda: Scan(model, batches, task, lambda: groups))
    begun /= len(scores) * len(SPARSITIES)  # each cell's share of what is done once for all of them

    def masked(row: str, sparsity: float):
        return prunekit.masked_copy(model, prunekit.prune_lowest({row: scores[row]}, sparsity), groups=groups)

    # Interleaved: after each cell that is checked, its time the ordinary way.
    theirs, ours, differing = [], [], 0
    for row, sparsity in cells:
        seconds, _cell = _timed(lambda row=row, sparsity=sparsity: scan.cell(scores, row, sparsity))
        ours.append(seconds + begun)
        if (row, sparsity) in checked:
            with torch.inference_mode():
                seconds, wanted = _timed(lambda row=row, sparsity=sparsity: _answers(masked(row, sparsity), batches))
                given = torch.cat(list(scan._replay._outputs(masked(row, sparsity))))
            theirs.append(seconds)
            differing += _differ(given, wanted)
    assert not differing, f"{differing} predictions differ"
    thirds = [(statistics.fmean(theirs[i::PAIRS]), statistics.fmean(ours[i::PAIRS])) for i in range(PAIRS)]
    what = f"{len(scores)} groups x {len(SCANNED)} of 9 sparsities, {EXAMPLES} validation images, batch {BATCH}, "
    what += f"time of a cell, the same predictions in {len(checked)} of them"
    return {"pairs": thirds, "what": what}


def _small() -> dict:
    import prunekit

    _settle()
    model, data = prunekit.load_model(SMALL), prunekit.load_dataset("fashion-mnist", prefer="shipped")
    validation = data.validation.subset(EXAMPLES)
    seconds = []
    for _turn in range(PAIRS):
        scores = prunekit.score(model, "magnitude", granularity="channel")
        took, cells = _timed(lambda scores=scores: prunekit.sensitivity(model, validation, scores))
        seconds.append(took)
    return {"seconds": seconds, "cells": len(cells)}


def _previews(granularity: str) -> dict:
    import torch

    import prunekit
    from prunekit.structure import channel_groups
    from prunekit.training import evaluate
    from prunekit.training.replay import Replay

    _settle()
    model, data = prunekit.load_model("resnet20-cifar10"), prunekit.load_dataset("cifar10", prefer="shipped")
    task = model_card("resnet20-cifar10").task
    batches = list(data.validation.subset(EXAMPLES).batches(BATCH))
    groups = channel_groups(model) if granularity == "channel" else None
    examples = list(data.train.subset(256).batches(128))
    scores = {name: prunekit.score(model, name, granularity=granularity, calibration=examples) for name in CRITERIA}

    begun, judge = _timed(lambda: Replay(model, batches, task))
    begun /= len(AMOUNTS) * len(CRITERIA)  # each preview's share of what is done once for all of them

    def theirs(name: str, amount: float):
        pruned = prunekit.masked_copy(model, prunekit.prune_lowest(scores[name], amount), groups=groups)
        return evaluate(pruned, batches, task)

    def ours(name: str, amount: float):
        mask = prunekit.prune_lowest(scores[name], amount)
        if granularity == "weight":
            return judge.evaluate_whole(prunekit.masked_copy(model, mask))
        return judge.evaluate_whole(prunekit.remove_channels(model, mask, groups=groups))

    pairs = []
    for amounts in (AMOUNTS[i::PAIRS] for i in range(PAIRS)):
        spent = [0.0, 0.0]
        for name in CRITERIA:
            for amount in amounts:
                found = []
                for i, way in enumerate((theirs, ours)):
                    seconds, seen = _timed(lambda way=way, name=name, amount=amount: way(name, amount))
                    spent[i] += seconds + i * begun
                    found.append(seen)
                assert abs(found[0].loss - found[1].loss) < 1e-3 * max(found[0].loss, 1), (name, amount, found)
        pairs.append(tuple(spent))
    assert torch.get_num_threads() == _cores()
    return {"pairs": pairs}


def _answers(model, batches):
    import torch

    return torch.cat([model(inputs) for inputs, _targets in batches])


def _differ(given, wanted) -> int:
    """How many predictions differ, but for ties between the two best classes."""
    best = wanted.topk(2, dim=1).values
    clear = best[:, 0] - best[:, 1] > TIE
    return int(((given.argmax(1) != wanted.argmax(1)) & clear).sum())


def _timed(work: Callable):
    before = time.perf_counter()
    value = work()
    return time.perf_counter() - before, value


def _cores() -> int:
    return psutil.cpu_count(logical=False) or 1


def _settle() -> None:
    import torch

    from prunekit.training.allocation import keep_freed_memory

    keep_freed_memory()
    torch.set_num_threads(_cores())


WAYS = {
    "mask": _mask,
    "taylor": _taylor,
    "sensitivity": _sensitivity,
    "small": _small,
    "channels": lambda: _previews("channel"),
    "weights": lambda: _previews("weight"),
}

if __name__ == "__main__":
    import warnings

    warnings.simplefilter("ignore")  # layers of which one unit stays
    print(json.dumps(WAYS[sys.argv[1]]()))
