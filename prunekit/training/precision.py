"""Which number format trains fastest here: tried for a moment, then chosen and said."""

import contextlib
import copy
import dataclasses
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from prunekit.core.language import _

SECONDS = 0.5
LEAST_TURNS, MOST_TURNS = 3, 20
PATIENCE = 8  # times the seconds that it should take, after which a slow network is given its least turns no more
# A faster candidate must win clearly: the same machine should choose the same way every time.
CLEARLY = 0.9


@dataclass(frozen=True)
class Precision:
    """How the numbers of a training step are held.

    name: "float32", or "bfloat16" (autocast: the weights and their updates stay float32); channels_last: whether
    the values of a pixel, or of one place in a kernel, lie next to each other in memory; milliseconds: what one step
    of each candidate took, by label; empty where nothing was measured.
    """

    name: str = "float32"
    channels_last: bool = False
    milliseconds: dict[str, float] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The name, and the memory format where it is not the usual one."""
        return f"{self.name}, channels last" if self.channels_last else self.name

    @property
    def sentence(self) -> str:
        """What was chosen and why, for a visitor."""
        if not self.milliseconds:
            return _("Training in {name}.").format(name=self.label)
        times = ", ".join(f"{name} {ms:.1f} ms" for name, ms in self.milliseconds.items())
        return _("Training in {name}: measured per step, {times}.").format(name=self.label, times=times)

    def to_plain(self) -> dict:
        """The fields and the sentence as plain values, for an event."""
        return dataclasses.asdict(self) | {"sentence": self.sentence}

    def autocast(self):
        """The context that the forward pass runs in."""
        if self.name == "bfloat16":
            return torch.autocast("cpu", dtype=torch.bfloat16)
        return contextlib.nullcontext()

    def place(self, inputs: torch.Tensor) -> torch.Tensor:
        """Inputs in the memory format that the model is in."""
        if self.channels_last and inputs.dim() == 4:
            return inputs.contiguous(memory_format=torch.channels_last)
        return inputs


FLOAT32 = Precision()
BFLOAT16 = Precision("bfloat16", channels_last=True)
PLAIN_BFLOAT16 = Precision("bfloat16")


def probe(
    model: torch.nn.Module,
    batch: tuple[torch.Tensor, torch.Tensor],
    objective_in: Callable[["Precision"], Callable[..., torch.Tensor]],
    seconds: float = SECONDS,
) -> Precision:
    """The fastest precision for training `model` on batches like `batch`, measured on copies.

    objective_in: gives for a precision what a step makes smaller, a function of (inputs, outputs, targets).

    Tries plain float32, and float32 and bfloat16 with channels last, in turns, for about `seconds`, or until each had
    three turns after a first step that does not count. The model and torch's random state stay as they are.
    """
    images = batch[0].dim() == 4 and any(parameter.dim() == 4 for parameter in model.parameters())
    candidates = [FLOAT32, Precision("float32", channels_last=True), BFLOAT16] if images else [FLOAT32, PLAIN_BFLOAT16]
    times: dict[str, list[float]] = {}
    started = time.perf_counter()
    with torch.random.fork_rng(devices=[]):
        trials = [(candidate, _trial(model, candidate), objective_in(candidate)) for candidate in candidates]
        for candidate, trial, objective in trials:
            _milliseconds(trial, batch, objective, candidate)  # pays for choosing kernels
            times[candidate.label] = []
        # In turns, so that a neighbour who gets busy slows all of them alike.
        for turn in range(MOST_TURNS):
            spent = time.perf_counter() - started
            if turn and spent > (seconds if turn >= LEAST_TURNS else PATIENCE * seconds):
                break
            for candidate, trial, objective in trials:
                times[candidate.label].append(_milliseconds(trial, batch, objective, candidate))
    measured = {label: round(statistics.median(steps), 3) for label, steps in times.items()}
    fastest = min(candidates, key=lambda candidate: measured[candidate.label])
    chosen = fastest if measured[fastest.label] < CLEARLY * measured[FLOAT32.label] else FLOAT32
    return Precision(chosen.name, chosen.channels_last, measured)


def _trial(model: torch.nn.Module, precision: Precision) -> torch.nn.Module:
    trial = copy.deepcopy(model).train()
    return trial.to(memory_format=torch.channels_last) if precision.channels_last else trial


def _milliseconds(trial: torch.nn.Module, batch, objective, precision: Precision) -> float:
    """The time of one forward and backward pass."""
    inputs, targets = precision.place(batch[0]), batch[1]
    before = time.perf_counter()
    with torch.enable_grad():
        with precision.autocast():
            outputs = trial(inputs)
        objective(inputs, outputs.float(), targets).backward()
    trial.zero_grad(set_to_none=True)
    return (time.perf_counter() - before) * 1000
