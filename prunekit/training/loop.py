"""The one training loop: training, fine-tuning and training under a mask differ only in what is handed in."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from prunekit.core.errors import BadSetting, PrunekitError, Stopped
from prunekit.core.language import _
from prunekit.core.recipe import Training
from prunekit.core.tasks import Task
from prunekit.training.checkpoint import checkpoint, restore
from prunekit.training.evaluation import evaluate
from prunekit.training.history import WeightHistory
from prunekit.training.metrics import METRICS
from prunekit.training.objective import Objective
from prunekit.training.precision import BFLOAT16, FLOAT32, Precision, probe

REPORT_SECONDS = 0.3


def train(
    model: torch.nn.Module,
    split,
    task: Task,
    settings: Training,
    *,
    epochs: int | None = None,
    seed: int = 0,
    mask: Mapping[str, torch.Tensor] | None = None,
    teacher: torch.nn.Module | None = None,
    precision: Precision | None = None,
    report: Callable[[dict], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    validation=None,
    state: dict | None = None,
    on_epoch: Callable[[dict], None] | None = None,
    history: WeightHistory | None = None,
) -> torch.nn.Module:
    """Trains `model` IN PLACE and returns it in eval mode; whoever calls owns the model, or hands in a copy.

    split: anything with `len()` and `.batches(size, shuffle, seed, augment)`; epochs: passes over it, by default
    those of the settings; seed: order, augmentation and dropout follow from it, so equal seeds, precision and threads
    give equal weights; mask: parameter name -> bool tensor (True keeps): the other weights are zero and stay exactly
    zero through momentum and weight decay; teacher: whose answers count where the settings ask for distillation, left
    as it is; precision: by default that of the settings, "auto" by `probe`.

    report(event) gets plain values: {"kind": "precision", "name", "channels_last", "milliseconds", "sentence"} once;
    {"kind": "progress", "epoch", "epochs", "step", "steps", "loss", "learning_rate", "images_per_second"} at most every
    0.3 s, epoch and step counted from 1; {"kind": "epoch", "epoch", "epochs", "loss", "metric", "train", "seconds",
    "images_per_second"} after each epoch, where "train" is the metric while training (augmented, in train mode), with
    "validation", "validation_low", "validation_high", "validation_loss" when a `validation` split is given.

    on_epoch(state) gets a checkpoint (see `checkpoint.py`) after each epoch, before its event is reported; `state=`
    one of them goes on from there and ends with exactly the weights of an uninterrupted training. history: of this
    model, is kept up at every step, and goes through the checkpoints too.

    Raises Stopped when `should_stop()` says so between two batches (the last checkpoint is what is kept), BadSetting
    for a mask that does not fit or a missing teacher, and PrunekitError when the loss is no longer a number.
    """
    epochs = settings.epochs if epochs is None else epochs
    tell = report or (lambda event: None)
    if not len(split):
        raise BadSetting(_("There are no examples to train on; choose a data set that has some."))
    if precision is None:
        precision = _precision(model, split, task, settings, teacher, seed, state)
    tell({"kind": "precision", **precision.to_plain()})
    if precision.channels_last:
        model.to(memory_format=torch.channels_last)
    try:
        optimizer = _optimizer(model, settings)
        if state is not None:
            restore(state, model, optimizer)
            if history is not None:
                history.restore(state["tensors"])
        objective = Objective.of(task, settings, precision, teacher)
        step = _Step(model, optimizer, _pruned(model, mask or {}), precision, objective, settings, history)
        for epoch in range(state["epoch"] if state else 0, epochs):
            # Dropout draws from torch's global random state: seeded for the epoch, put back after it.
            with torch.random.fork_rng(devices=[]):
                torch.default_generator.manual_seed(_epoch_seed(seed, epoch))
                event = _epoch(step, split, task, (epoch, epochs), seed, tell, should_stop)
            if validation is not None:
                seen = evaluate(model, validation, task, should_stop=should_stop)
                _check_finite(seen.loss, epoch, settings)
                event |= {"validation": seen.value, "validation_low": seen.low, "validation_high": seen.high}
                event |= {"validation_loss": seen.loss}
            if on_epoch is not None:
                now = checkpoint(model, optimizer, epoch + 1, epochs, precision)
                now["tensors"] |= history.tensors() if history is not None else {}
                on_epoch(now)
            tell(event)
    finally:
        # Back to the usual layout: saved and reloaded, the model must compute bit for bit the same.
        model.to(memory_format=torch.contiguous_format)
        model.zero_grad(set_to_none=True)
        model.eval()
    return model


def _epoch(step: "_Step", split, task: Task, which: tuple[int, int], seed: int, tell, should_stop) -> dict:
    """One pass over the split; returns the epoch's event."""
    (epoch, epochs), settings = which, step.settings
    steps = _steps(len(split), settings.batch_size)
    metric, total, seen, started, told = METRICS[task.metric](), 0.0, 0, time.monotonic(), time.monotonic()
    step.model.train()
    batches = split.batches(settings.batch_size, True, _epoch_seed(seed, epoch), settings.augment)
    for number, (inputs, targets) in zip(range(steps), batches, strict=False):
        if should_stop is not None and should_stop():
            raise Stopped(_("Stopped in epoch {epoch} of {epochs}.").format(epoch=epoch + 1, epochs=epochs))
        rate = _learning_rate(settings, (epoch * steps + number) / (epochs * steps))
        outputs, loss = step(inputs, targets, rate)
        _check_finite(loss, epoch, settings)
        metric.add(outputs, targets)
        total, seen = total + loss * len(targets), seen + len(targets)
        now = time.monotonic()
        if now - told >= REPORT_SECONDS:
            told = now
            event = {"kind": "progress", "epoch": epoch + 1, "epochs": epochs, "step": number + 1, "steps": steps}
            tell(event | {"loss": loss, "learning_rate": rate, "images_per_second": seen / (now - started)})
    seconds = time.monotonic() - started
    event = {"kind": "epoch", "epoch": epoch + 1, "epochs": epochs, "loss": total / seen, "metric": task.metric}
    return event | {"train": metric.value, "seconds": seconds, "images_per_second": seen / max(seconds, 1e-9)}


@dataclass(frozen=True)
class _Step:
    """One optimizer step that leaves pruned weights at zero."""

    model: torch.nn.Module
    optimizer: torch.optim.Optimizer
    pruned: list[tuple[torch.nn.Parameter, torch.Tensor]]
    precision: Precision
    objective: Objective
    settings: Training
    history: WeightHistory | None = None

    def __post_init__(self):
        self._clear_weights()

    def __call__(self, inputs: torch.Tensor, targets: torch.Tensor, rate: float) -> tuple[torch.Tensor, float]:
        """The outputs before the step, and their loss."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        inputs = self.precision.place(inputs)
        with self.precision.autocast():
            outputs = self.model(inputs)
        # The loss in float32: bfloat16 has three significant digits.
        loss = self.objective(inputs, outputs.float(), targets)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        # Before the step, so that no momentum gathers for a pruned weight; after it, whatever the optimizer did.
        for parameter, gone in self.pruned:
            if parameter.grad is not None:
                parameter.grad.masked_fill_(gone, 0)
        if self.history is not None:
            self.history.add(self.model)
        self.optimizer.step()
        self._clear_weights()
        return outputs.detach().float(), loss.item()

    def _clear_weights(self) -> None:
        for parameter, gone in self.pruned:
            parameter.data.masked_fill_(gone, 0)


def _check_finite(loss: float, epoch: int, settings: Training) -> None:
    if not math.isfinite(loss):
        sentence = _("Training diverged in epoch {epoch}; choose a learning rate below {rate:g}.")
        raise PrunekitError(sentence.format(epoch=epoch + 1, rate=settings.learning_rate))


def _steps(examples: int, batch_size: int) -> int:
    """Steps of one epoch. A last batch of a single example is left out: batch norm has no variance for it."""
    steps = math.ceil(examples / batch_size)
    return steps - 1 if steps > 1 and examples % batch_size == 1 and batch_size > 1 else steps


def _learning_rate(settings: Training, progress: float) -> float:
    """The learning rate at `progress` in [0, 1); cosine as in SGDR without restarts (Loshchilov and Hutter, 2017)."""
    if settings.decay == "constant":
        return settings.learning_rate
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))


def _epoch_seed(seed: int, epoch: int) -> int:
    """A seed for each epoch: what is random in it does not depend on the epochs before, so it can be resumed."""
    return int(np.random.SeedSequence((seed, epoch)).generate_state(1)[0])


def _optimizer(model: torch.nn.Module, settings: Training) -> torch.optim.Optimizer:
    """SGD with momentum, or AdamW; weight decay pulls at weights only, not at biases and normalisation."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in trained if p.dim() > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in trained if p.dim() <= 1], "weight_decay": 0.0},
    ]
    if not trained:
        raise BadSetting(_("This network has no trainable weights; unfreeze some of them first."))
    if settings.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=settings.learning_rate)
    return torch.optim.SGD(groups, lr=settings.learning_rate, momentum=settings.momentum)


def _pruned(model: torch.nn.Module, mask: Mapping[str, torch.Tensor]) -> list:
    """Each masked parameter with a bool tensor of its layout, True where the weight is pruned."""
    parameters = dict(model.named_parameters())
    pairs = []
    for name, keep in mask.items():
        if name not in parameters or parameters[name].shape != keep.shape:
            sentence = _("The mask entry “{name}” fits no weight of this network; make the mask from this network.")
            raise BadSetting(sentence.format(name=name))
        gone = torch.empty_like(parameters[name], dtype=torch.bool).copy_(keep.logical_not())
        pairs.append((parameters[name], gone))
    return pairs


def _precision(model, split, task: Task, settings: Training, teacher, seed: int, state: dict | None) -> Precision:
    """The precision of the checkpoint, else that of the settings, else the faster one."""
    if state is not None:
        return Precision(state["precision"], state["channels_last"])
    if settings.precision != "auto":
        return {"float32": FLOAT32, "bfloat16": BFLOAT16}[settings.precision]
    batch = next(split.batches(settings.batch_size, True, _epoch_seed(seed, 0), settings.augment))
    return probe(model, batch, lambda candidate: Objective.of(task, settings, candidate, teacher))
