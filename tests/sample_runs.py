"""Runs made up for tests of reports and pages: a real store, filled as the recorder fills it."""

import dataclasses
import time

from prunekit.core.recipe import Recipe, Training
from prunekit.core.sweep import Sweep
from prunekit.experiments.ledger import Ledger
from prunekit.experiments.runs import STUDY, Run

START = 1_790_000_000.0
BASELINE = 0.91
WHOLE = {"parameters": 100_000, "macs": 1_600_000, "bytes": 400_000}


def recipe(**changes) -> Recipe:
    """A recipe of three epochs; half of the channels by magnitude in one cut unless said otherwise."""
    plain = {"model": "lenet-fashion", "scorer": "magnitude", "granularity": "channel", "scope": "global"}
    plain |= {"target": "sparsity", "amount": 0.5, "schedule": "one-shot", "training": quick()}
    return Recipe(**plain | changes)


def result(asked: Recipe, finetuned: float = 0.90, pruned: float = 0.75, timed: bool = True) -> dict:
    """What a finished run of the recipe says of itself, keys as in `prunekit.pruning.loop`."""
    left = 1 - asked.amount
    zeros = asked.granularity == "weight"
    before = {f"{name}_before": value for name, value in WHOLE.items()}
    after = {f"{name}_after": round(value * (1 if zeros else left)) for name, value in WHOLE.items()}
    figures = {
        "model": asked.model,
        "data": asked.data,
        "scorer": asked.scorer,
        "granularity": asked.granularity,
        "metric": "accuracy",
        "sparsity_target": asked.amount,
        "sparsity_actual": asked.amount,
        "validation_baseline": BASELINE,
        "validation_pruned": pruned,
        "validation_finetuned": finetuned,
        "validation_low": finetuned - 0.018,
        "validation_high": finetuned + 0.016,
        "validation_examples": 1000,
        "train_finetuned": finetuned + 0.02,
        "generalisation_gap": 0.02,
        "test_baseline": BASELINE - 0.005,
        "test_finetuned": finetuned - 0.005,
        "test_low": finetuned - 0.011,
        "test_high": finetuned + 0.001,
        "test_examples": 10_000,
        "nonzero_before": WHOLE["parameters"],
        "nonzero_after": round(WHOLE["parameters"] * left),
        "latency_ms_before": None,
        "latency_ms_after": None,
        "speedup": None,
        "wall_seconds": 9.5,
        "precision": "float32, channels last",
        "seed": asked.seed,
        "fingerprint": asked.fingerprint,
        "recipe": asked.to_plain(),
    }
    figures |= before | after | {"macs_after": round(WHOLE["macs"] * left)}
    return figures | (latency(1.0 if zeros else 1 / max(left, 0.05) ** 0.6) if timed else {})


def latency(speedup: float, spread: float = 1.1) -> dict:
    """The latency figures of a result, at a given speedup; its quartiles are that times `spread` and over it."""
    reason = "" if speedup > 1 else "Zeros stay dense: they are computed like any other number."
    one = {"before_ms": 0.2, "after_ms": 0.2 / speedup**0.5, "speedup": speedup**0.5, "reason": reason}
    many = {"before_ms": 4.0, "after_ms": 4.0 / speedup, "speedup": speedup, "reason": reason}
    for figures in (one, many):
        figures |= {"speedup_low": figures["speedup"] / spread, "speedup_high": figures["speedup"] * spread}
    headline = {"latency_batch": 64, "latency_ms_before": 4.0, "latency_ms_after": 4.0 / speedup, "speedup": speedup}
    return headline | {"latency": {"1": one, "64": many}}


def run(asked: Recipe, state: str = "finished", role: str = "run", number: int = 1, **given) -> Run:
    """A run as the store would hand it out. `given` goes into its result."""
    figures = result(asked, **given) if state == "finished" else None
    error = "Training diverged in epoch 1; choose a learning rate below 1." if state == "failed" else None
    ended = START + 10 if state not in ("queued", "running") else None
    return Run(
        id=f"{asked.fingerprint}-{number}",
        fingerprint=asked.fingerprint,
        title=asked.title(),
        recipe=asked.to_plain(),
        role=role,
        state=state,
        created=START,
        started=None if state == "queued" else START,
        ended=ended,
        attempt=0,
        error=error,
        result=figures,
    )


def on_full_data(finished: Run) -> Run:
    """The run with a result from the full data; all others here are from the shipped part of it."""
    return dataclasses.replace(finished, result=finished.result | {"validation_examples": 6000})


def add_finished(store: Ledger, asked: Recipe, role: str = "run", **given) -> str:
    """Adds a finished run to a store."""
    run_id = store.add(asked.to_plain(), asked.fingerprint, asked.title(), role)
    now = time.time()
    store.change(run_id, state="finished", started=now - 9.5, ended=now, result=result(asked, **given))
    return run_id


def add_study(store: Ledger, plan: Sweep, title: str = "Study: two cuts") -> list[str]:
    """Adds a finished sweep as one that came with prunekit: untimed, and nobody's own."""
    runs = [dataclasses.replace(run(asked, role=STUDY, timed=False), error=None) for asked in plan.recipes()]
    store.bring_in("small", [(plan.to_plain(), title, runs)])
    return [run.id for run in store.runs() if run.role == STUDY]


def add_running(store: Ledger, asked: Recipe, epochs_done: int = 1) -> str:
    """Adds a run in the middle of an epoch, with its events."""
    run_id = store.add(asked.to_plain(), asked.fingerprint, asked.title(), "run")
    store.change(run_id, state="running", started=time.time() - 5)
    store.add_events(run_id, 0, events(asked.training.epochs, epochs_done, time.time()))
    return run_id


def events(epochs: int, done: int, now: float = START, steps: int = 100) -> list[dict]:
    """The events of a run that is half through the epoch after `done` ones; an epoch takes 4 seconds."""
    begun = now - 4.0 * (done + 0.5)
    told = [
        {"kind": "begin", "rounds": 1, "epochs": epochs, "time": begun - 0.3},
        {"kind": "phase", "phase": "baseline", "time": begun - 0.3},
        {"kind": "phase", "phase": "cutting", "time": begun - 0.2},
        {"kind": "cut", "round": 0, "sparsity": 0.5, "kept": {}, "validation": 0.6, "epoch": 0, "time": begun - 0.1},
        {"kind": "phase", "phase": "fine-tuning", "time": begun},
    ]
    for epoch in range(1, done + 2):
        for step in range(10, (steps if epoch <= done else steps // 2) + 1, 10):
            position = epoch - 1 + step / steps
            told.append(
                {
                    "kind": "progress",
                    "epoch": epoch,
                    "epochs": epochs,
                    "step": step,
                    "steps": steps,
                    "loss": 0.3 + 0.6 / (1 + 3 * position),
                    "learning_rate": 0.01,
                    "images_per_second": 64 * steps / 4.0,
                    "sparsity": 0.5,
                    "time": begun + 4.0 * position,
                }
            )
        if epoch <= done:
            told.append(
                {
                    "kind": "epoch",
                    "epoch": epoch,
                    "epochs": epochs,
                    "loss": 0.4,
                    "metric": "accuracy",
                    "train": 0.80 + 0.02 * epoch,
                    "validation": 0.85 + 0.015 * epoch,
                    "seconds": 4.0,
                    "sparsity": 0.5,
                    "time": begun + 4.0 * epoch,
                }
            )
    return [event | {"number": number, "attempt": 0} for number, event in enumerate(told)]


def quick(epochs: int = 3) -> Training:
    """Training settings with other epochs."""
    return Training(epochs=epochs)
