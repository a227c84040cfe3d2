"""The one pruning loop: a recipe in, events on the way, a model and its figures out."""

import copy
import os
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch

from prunekit.core.cards import model_card
from prunekit.core.data_folder import part_at_hand
from prunekit.core.descriptions import is_trained_first
from prunekit.core.errors import BadSetting, FloorWarning, NeedsData, Stopped
from prunekit.core.language import _
from prunekit.core.recipe import Recipe
from prunekit.data import Dataset, calibration_set, load_dataset
from prunekit.measurement import environment, profile
from prunekit.models import load_model, save, saved_files
from prunekit.pruning.checkpoints import Checkpoint
from prunekit.pruning.remains import remains_of, target_of
from prunekit.pruning.timing import time_models
from prunekit.schedules import SCHEDULES, epochs_of_round
from prunekit.scoring import SCORERS, score
from prunekit.selection import prune_cut
from prunekit.structure import example_inputs_of, weight_names
from prunekit.training import Precision, WeightHistory, evaluate, quick_copy, train
from prunekit.training.threads import torch_threads

# The untouched model's metrics, by model and data: the same for every run, so measured once in a process.
_baselines: dict[tuple, dict] = {}


@dataclass(frozen=True)
class Outcome:
    """A finished run: the pruned model, its figures (plain values), and which original channels are left, if any."""

    model: torch.nn.Module
    result: dict
    kept: dict[str, list[int]] | None = field(default=None)

    def save(self, folder) -> None:
        """Writes weights.safetensors and plan.json; `prunekit.load` reads them."""
        save(self.model, folder, provenance=self.result, kept=self.kept)

    def files(self) -> dict[str, bytes]:
        """The same files by name, for those who have no folder in common."""
        return saved_files(self.model, provenance=self.result, kept=self.kept)


def execute(
    recipe: Recipe,
    report: Callable[[dict], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    *,
    checkpoint: Checkpoint | None = None,
    keep: Callable[[Checkpoint], None] | None = None,
    threads: int | None = None,
    precision: tuple[str, bool] | None = None,
    timed: bool = True,
    part: str | None = None,
) -> Outcome:
    """Runs a recipe: one pure function of it, which knows nothing of processes, databases or screens.

    report(event): plain dicts with a "kind": "begin", "phase", "cut", "floor", "precision", "progress", "epoch";
    should_stop(): asked at every batch; keep(checkpoint): called after every epoch, and `checkpoint=` goes on from one,
    ending with the weights of an uninterrupted run; threads: of torch, for the time of the run (a checkpoint's own, as
    far as the machine has them, go before it); precision: the name and whether channels go last, as an earlier attempt
    chose them, where there is no checkpoint that knows; timed: measure the latency too, which is honest only when
    nothing else runs; part: of the data, one of PARTS, by default as much as there is.
    Raises Stopped, and PrunekitError with one sentence for whatever is asked in vain.
    """
    run = _Execution(
        recipe, part or part_at_hand(recipe.data), report or _ignore, should_stop or _never, keep or _ignore
    )
    run.precision = Precision(*precision) if precision else None
    if checkpoint is not None and checkpoint.threads:
        threads = min(checkpoint.threads, os.cpu_count() or 1)
    with torch_threads(threads), warnings.catch_warnings():
        # The floor is told as an event.
        warnings.simplefilter("ignore", FloorWarning)
        outcome = run.through(checkpoint)
        if timed:
            run.phase("timing")
            outcome.result.update(time_models(run.dense, outcome.model, should_stop=should_stop))
    return outcome


class _Execution:
    """The steps of one run."""

    def __init__(self, recipe: Recipe, part: str, report, should_stop, keep):
        self.recipe, self.part, self.report, self.should_stop, self.keep = recipe, part, report, should_stop, keep
        self.card = model_card(recipe.model)
        self.task = self.card.task
        if lack := self.card.lack_of_data():
            raise NeedsData(lack)
        # A net heals as it learned.
        self.data: Dataset = load_dataset(recipe.data, prefer=part).erasing(self.card.erase)
        self.dense = load_model(recipe.model)
        self.inputs = example_inputs_of(self.dense)
        self.remains = remains_of(recipe.granularity, self.dense, self.inputs)
        self._check_names()
        self.warms_up = is_trained_first(recipe.scorer)  # trains before the first cut too
        self.history: WeightHistory | None = None
        self.precision: Precision | None = None
        self.figures: dict = {}
        self.seconds = 0.0
        self.started = time.monotonic()

    def _check_names(self) -> None:
        known = set(self.remains.kept)
        for name in [*self.recipe.overrides, *self.recipe.locked]:
            if name not in known:
                sentence = _("“{name}” has no cut of its own at this granularity; choose one of: {known}.")
                raise BadSetting(sentence.format(name=name, known=", ".join(sorted(known))))

    def _check_data(self) -> None:
        if self.figures.get("data_full", self.data.full) != self.data.full:
            sentence = _("The data has changed since this run began: the full set came or went; start the run afresh.")
            raise BadSetting(sentence)

    def through(self, checkpoint: Checkpoint | None) -> Outcome:
        shares = SCHEDULES[self.recipe.schedule].shares(self.recipe.rounds)
        self.report({"kind": "begin", "rounds": len(shares), "epochs": self.recipe.training.epochs})
        first, training = -self.warms_up, None
        if checkpoint is not None:
            first, training = checkpoint.round, checkpoint.training
            self.figures, self.seconds = dict(checkpoint.figures), checkpoint.seconds
            self._check_data()
            self.remains = remains_of(self.recipe.granularity, self.dense, self.inputs, checkpoint.kept)
            self.precision = Precision(training["precision"], training["channels_last"])
        else:
            self.phase("baseline")
            self.figures = self._baseline() | {"data_full": self.data.full}
        for number in range(first, len(shares)):
            if training is None and number >= 0:
                self._cut(number, shares[number])
            self._tune(number, training)
            training = None
        return self._weigh()

    # -- the steps --------------------------------------------------------------------------------------------

    def phase(self, name: str) -> None:
        self._stop_if_asked()
        self.report({"kind": "phase", "phase": name})

    def _stop_if_asked(self) -> None:
        if self.should_stop():
            raise Stopped(_("Stopped; what was finished is kept."))

    def _evaluate(self, model, split):
        return evaluate(quick_copy(model), split, self.task, should_stop=self.should_stop)

    def _baseline(self) -> dict:
        key = (self.card.checksum, self.recipe.data, self.data.full)
        if key not in _baselines:
            validation = self._evaluate(self.dense, self.data.validation)
            test = self._evaluate(self.dense, self.data.test)
            _baselines[key] = {"validation_baseline": validation.value, "test_baseline": test.value}
        return dict(_baselines[key])

    def _cut(self, number: int, share: float) -> None:
        self.phase("scoring")
        scores = self.remains.ranked(self._scores(number))
        self.phase("cutting")
        table = self.remains.table(scores)
        cut = target_of(self.recipe, share, table)
        rescued = self.remains.cut(prune_cut(scores, cut))
        if rescued:
            self.report({"kind": "floor", "rows": list(rescued)})
        after = self._evaluate(self.remains.model, self.data.validation)
        self.figures |= {"validation_pruned": after.value, "sparsity_target": self._target(cut, table)}
        kept = {name: int(k.sum() if k.dtype is torch.bool else len(k)) for name, k in self.remains.kept.items()}
        event = {"kind": "cut", "round": number, "sparsity": self.remains.sparsity, "kept": kept}
        self.report(event | {"validation": after.value, "epoch": self._epochs_before(number)})

    def _scores(self, number: int):
        recipe = self.recipe
        examples = None
        if SCORERS[recipe.scorer].needs not in ("weights", "history"):
            examples = calibration_set(self.data, recipe.calibration, recipe.seed)
        return score(
            self.remains.model,
            recipe.scorer,
            granularity=recipe.granularity,
            example_inputs=self.inputs,
            calibration=examples,
            task=self.task,
            seed=_seed(recipe.seed, number),
            history=self.history and {"start": self.history.start, "pull": self.history.pull},
            should_stop=self.should_stop,
            **recipe.knobs,
        )

    def _target(self, cut, table) -> float:
        """The sparsity that was asked for: as given, or what the target came to."""
        if self.recipe.target == "sparsity" and not self.recipe.overrides and not self.recipe.locked:
            return self.recipe.amount
        return self.remains.sparsity

    def _tune(self, number: int, training: dict | None) -> None:
        epochs = self._epochs_of(number)
        if not epochs:
            return
        self.phase("fine-tuning" if number >= 0 else "training")
        before = self._epochs_before(number)
        if training is None:
            self.remains.model = copy.deepcopy(self.remains.model)  # training works in place, the dense net stays
        # Of the training after the last cut nobody asks.
        follow = self.warms_up and number + 1 < self.recipe.rounds
        self.history = WeightHistory(self.remains.model, weight_names(self.remains.model)) if follow else None
        self.remains.model = train(
            self.remains.model,
            self.data.train,
            self.task,
            self.recipe.training,
            epochs=epochs,
            seed=_seed(self.recipe.seed, number + self.warms_up),
            mask=self.remains.training_mask,
            teacher=self.dense,
            precision=self.precision,
            report=lambda event: self._relay(event, number, before),
            should_stop=self.should_stop,
            validation=self.data.validation,
            state=training,
            on_epoch=lambda state: self.keep(self._checkpoint(number, state)),
            history=self.history,
        )

    def _relay(self, event: dict, number: int, before: int) -> None:
        if event["kind"] == "precision":
            self.precision = Precision(event["name"], event["channels_last"])
            self.figures["precision"] = event["name"] + (", channels last" if event["channels_last"] else "")
        if "epoch" in event:
            event = event | {"epoch": before + event["epoch"], "epochs": self.recipe.training.epochs}
            event |= {"round": number, "sparsity": self.remains.sparsity}
        self.report(event)

    def _epochs_before(self, number: int) -> int:
        return sum(self._epochs_of(r) for r in range(-self.warms_up, number))

    def _epochs_of(self, number: int) -> int:
        """The epochs after the cut of a round; before the first, of round -1."""
        recipe = self.recipe
        return epochs_of_round(recipe.training.epochs, recipe.rounds + self.warms_up, number + self.warms_up)

    def _checkpoint(self, number: int, state: dict) -> Checkpoint:
        kept = dict(self.remains.kept)
        seconds = self.seconds + time.monotonic() - self.started
        return Checkpoint(number, kept, state, dict(self.figures), seconds, torch.get_num_threads())

    def _weigh(self) -> Outcome:
        self.phase("measuring")
        model, data, recipe = self.remains.model.eval(), self.data, self.recipe
        validation = self._evaluate(model, data.validation)
        # As many training examples as there are for validation, without augmentation: the gap between the two.
        seen = self._evaluate(model, data.train.subset(min(len(data.train), len(data.validation)), seed=0))
        test = self._evaluate(model, data.test)
        before, after = (profile(m, self.inputs, latency=False) for m in (self.dense, model))
        result = self.figures | {
            "model": recipe.model,
            "data": recipe.data,
            "data_full": data.full,
            "scorer": recipe.scorer,
            "granularity": recipe.granularity,
            "sparsity_actual": self.remains.sparsity,
            "metric": self.task.metric,
            "validation_finetuned": validation.value,
            "validation_low": validation.low,
            "validation_high": validation.high,
            "validation_examples": validation.n,
            "train_finetuned": seen.value,
            "generalisation_gap": seen.value - validation.value,
            "test_finetuned": test.value,
            "test_low": test.low,
            "test_high": test.high,
            "test_examples": test.n,
            "parameters_before": before.parameters,
            "parameters_after": after.parameters,
            "nonzero_before": before.nonzero,
            "nonzero_after": after.nonzero,
            "macs_before": before.macs,
            "macs_after": self.remains.macs(after.macs),
            "bytes_before": before.bytes,
            "bytes_after": after.bytes,
            "peak_memory_before": before.peak_memory_bytes,
            "peak_memory_after": after.peak_memory_bytes,
            "latency_ms_before": None,
            "latency_ms_after": None,
            "speedup": None,
            "epochs": recipe.training.epochs,
            "wall_seconds": self.seconds + time.monotonic() - self.started,
            "seed": recipe.seed,
            "fingerprint": recipe.fingerprint_on(self.part),
            "recipe": recipe.to_plain(),
            "environment": environment(),
        }
        return Outcome(model, result, self.remains.plain_kept())


def _seed(seed: int, number: int) -> int:
    """The seed of a round: the recipe's own in the first, so that Explore shows what a run does; unrelated later."""
    return int(np.random.SeedSequence((seed, number)).generate_state(1)[0]) if number else seed


def _ignore(_anything) -> None:
    pass


def _never() -> bool:
    return False
