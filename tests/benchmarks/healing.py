"""How fast fine-tuning is: the training loop against a plain one, the removed net against the masked one."""

import json
import os
import statistics
import subprocess
import sys
import time

import psutil

from prunekit.core.recipe import Recipe, Training
from prunekit.core.threads import PATIENCE
from tests.results import ROOT, Row

MODEL = "resnet20-cifar10"
SETTINGS = Training(epochs=1)
STEPS, WARM_UP = 60, 6
PAIRS = 5
ROUND_TO = 8  # the floats of one register here; 11 of 16 channels take as long as all of them


def measure_throughput() -> list[Row]:
    """Images per second of both loops in processes of their own, in turns."""
    pairs = [(_in_a_process("plain"), _in_a_process("ours")) for _ in range(PAIRS)]
    ratios = sorted(ours["images_per_second"] / plain["images_per_second"] for plain, ours in pairs)
    ours, plain = (statistics.median(pair[i]["images_per_second"] for pair in pairs) for i in (1, 0))
    spread = f"{ratios[0]:.2f} to {ratios[-1]:.2f} over {PAIRS} pairs; {ours:.0f} against {plain:.0f} images/s"
    what = f"fine-tuning {MODEL} ({pairs[-1][1]['precision']}) over a plain float32 eager loop, batch 64"
    return [Row("finetune_throughput_ratio", round(statistics.median(ratios), 3), "x", ">= 2.4", spread, what)]


def measure_removed() -> list[Row]:
    """A training step of the removed net over one of the masked net, in turns in one process."""
    times = _in_a_process("removed")
    ratios = sorted(removed / masked for masked, removed in times["pairs"])
    spread = f"{ratios[0]:.2f} to {ratios[-1]:.2f} over {len(ratios)} pairs"
    gone = f"{times['gone']:.1%} of the parameters removed as channels, multiples of {ROUND_TO} kept"
    what = f"training step of {MODEL} with {gone}, over masked"
    return [Row("removed_step_time_ratio", round(statistics.median(ratios), 3), "x", "<= 0.6", spread, what)]


def _in_a_process(what: str) -> dict:
    words = [sys.executable, "-m", "tests.benchmarks.healing", what]
    environment = os.environ | ({} if what == "plain" else PATIENCE)
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


# -- in the measuring process ---------------------------------------------------------------------------------


def _plain() -> dict:
    """What one would write first: float32, the usual memory layout, the allocator as it is, all cores."""
    import torch

    model, split = _model_and_split()
    model.train()
    optimizer = torch.optim.SGD(
        model.parameters(), SETTINGS.learning_rate, SETTINGS.momentum, weight_decay=SETTINGS.weight_decay
    )
    loss = torch.nn.CrossEntropyLoss()
    for number, (inputs, targets) in enumerate(split.batches(SETTINGS.batch_size, True, 0, SETTINGS.augment)):
        if number == WARM_UP:
            started = time.perf_counter()
        optimizer.zero_grad()
        loss(model(inputs), targets).backward()
        optimizer.step()
    return {"images_per_second": (STEPS - WARM_UP) * SETTINGS.batch_size / (time.perf_counter() - started)}


def _ours() -> dict:
    """The product's own loop as the training worker runs it, with all cores."""
    from prunekit.core.tasks import CLASSIFICATION
    from prunekit.training import train
    from prunekit.training.allocation import keep_freed_memory

    keep_freed_memory()
    model, split = _model_and_split()
    events = []
    warm = split.take(range(WARM_UP * SETTINGS.batch_size))
    train(model, warm, CLASSIFICATION, SETTINGS, report=events.append)
    train(model, split, CLASSIFICATION, SETTINGS, report=events.append)
    chosen = [event for event in events if event["kind"] == "precision"][-1]
    return {
        "images_per_second": events[-1]["images_per_second"],
        "precision": chosen["name"] + (", channels last" if chosen["channels_last"] else ""),
    }


def _removed() -> dict:
    """Milliseconds of a step of the masked and the removed net, pair by pair."""
    from prunekit.core.tasks import CLASSIFICATION
    from prunekit.pruning.remains import REMAINS, target_of
    from prunekit.scoring import score
    from prunekit.selection import prune_cut
    from prunekit.structure import example_inputs_of
    from prunekit.surgery import masked_copy
    from prunekit.training import train
    from prunekit.training.allocation import keep_freed_memory

    keep_freed_memory()
    model, split = _model_and_split()
    inputs = example_inputs_of(model)
    recipe = Recipe(
        MODEL, granularity="channel", target="parameters", amount=0.5, scope="isomorphic", round_to=ROUND_TO
    )
    channels = REMAINS["channel"](model, inputs)
    scores = score(
        model,
        recipe.scorer,
        granularity="channel",
        example_inputs=inputs,
        calibration=list(split.take(range(512)).batches(128)),
        task=CLASSIFICATION,
    )
    mask = prune_cut(scores, target_of(recipe, 1.0, channels.table(scores)))
    masked = masked_copy(model, mask)
    channels.cut(mask)
    removed = channels.model
    held = {name: parameter != 0 for name, parameter in masked.named_parameters() if parameter.dim() > 1}
    short = split.take(range(20 * SETTINGS.batch_size))

    def step_ms(net, mask=None) -> float:
        events = []
        train(net, short, CLASSIFICATION, SETTINGS, mask=mask, report=events.append)
        return 1000 * SETTINGS.batch_size / events[-1]["images_per_second"]

    pairs = [(step_ms(masked, held), step_ms(removed)) for _ in range(PAIRS + 1)][1:]
    before, after = (sum(p.numel() for p in net.parameters()) for net in (model, removed))
    return {"pairs": pairs, "gone": 1 - after / before}


def _model_and_split():
    import torch

    from prunekit.data import load_dataset
    from prunekit.models import load_model

    torch.set_num_threads(psutil.cpu_count(logical=False) or 1)
    train = load_dataset("cifar10", prefer="shipped").train
    return load_model(MODEL), train.take(range(STEPS * SETTINGS.batch_size))


if __name__ == "__main__":
    print(json.dumps({"plain": _plain, "ours": _ours, "removed": _removed}[sys.argv[1]]()))
