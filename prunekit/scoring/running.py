"""Runs a network on calibration batches for outputs and losses; what goes wrong is told in one sentence."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional
from torch.utils._pytree import tree_leaves, tree_map

from prunekit.core.errors import BadSetting, CannotScore, Stopped
from prunekit.core.language import _
from prunekit.core.tasks import Task
from prunekit.structure.inputs import batch_size, forward
from prunekit.structure.tracing_copy import first_line


def _mean_squared_error(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    # reshape: (N, 1) outputs against (N,) targets would broadcast to (N, N) without a word.
    return functional.mse_loss(outputs.reshape(targets.shape), targets)


# By the name that `core.tasks.Task.loss` gives. Each is the mean over the examples.
LOSSES = {"cross_entropy": functional.cross_entropy, "mean_squared_error": _mean_squared_error}


@dataclass(frozen=True)
class Calibration:
    """What a network is run on. should_stop: asked before each run; work that it ends raises Stopped."""

    batches: Iterable
    task: Task
    should_stop: Callable[[], bool] = lambda: False

    def ask(self) -> None:
        if self.should_stop():
            raise Stopped(_("Stopped; what was finished is kept."))

    def pairs(self) -> Iterator[tuple]:
        """The batches as pairs; see `pair`."""
        for batch in self.batches:
            self.ask()
            yield pair(batch)


def pair(batch) -> tuple:
    """The inputs and the targets of a batch, copied: a network may write to what it is given, and tensors made in
    inference mode could not take part in gradients.

    Raises BadSetting for a batch that is no (inputs, targets) pair.
    """
    if not isinstance(batch, (tuple, list)) or len(batch) != 2:
        raise BadSetting(_("A calibration set must give (inputs, targets) batches, as data.train.batches(64) does."))
    return tree_map(lambda value: value.clone() if isinstance(value, torch.Tensor) else value, tuple(batch))


def examples_in(inputs, targets) -> int:
    """The number of examples of a pair: 1 for an example without a batch axis, whose target has none either."""
    alone = isinstance(targets, torch.Tensor) and not targets.dim()
    return 1 if alone else batch_size(inputs)


def singly(pairs: Iterable[tuple]) -> Iterator[tuple]:
    """The examples of all pairs, each as a batch of its own; what has another first axis belongs to all of them."""
    for whole in pairs:
        if (count := examples_in(*whole)) == 1:
            yield whole
        else:
            yield from (_part(whole, i, i + 1, count) for i in range(count))


def first(pairs: Iterable[tuple], examples: int) -> Iterator[tuple]:
    """So many examples from the beginning, or all that there are, as (inputs, targets) batches."""
    for whole in pairs:
        count = examples_in(*whole)
        yield _part(whole, 0, examples, count) if examples < count else whole
        examples -= count
        if examples <= 0:
            return


def _part(whole: tuple, start: int, stop: int, count: int) -> tuple:
    def part(value):
        batched = isinstance(value, torch.Tensor) and value.dim() and len(value) == count
        return value[start:stop] if batched else value

    return tree_map(part, whole)


def run(model: Callable, inputs):
    """The outputs. Raises CannotScore whatever goes wrong."""
    try:
        return forward(model, inputs)
    except Exception as error:  # a stranger's forward pass may raise anything
        sentence = _("The network does not run on the calibration set: {reason}")
        raise CannotScore(sentence.format(reason=first_line(error))) from error


def loss_of(outputs, targets, task: Task) -> torch.Tensor:
    """The task's loss, the mean over the examples. Raises CannotScore for targets that it does not take."""
    try:
        return LOSSES[task.loss](outputs, targets)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        sentence = _("The loss of the task {task} does not take the calibration targets: {reason}")
        raise CannotScore(sentence.format(task=task.name, reason=first_line(error))) from error


def drawn_sum(outputs) -> torch.Tensor:
    """All outputs added up with signs drawn by lot: the expected square of its gradient is the sum of the squares of
    their gradients, since the products of different ones cancel out (Hutchinson, 1989). One backward pass, not one for
    each output.
    """
    numbers = [leaf for leaf in tree_leaves(outputs) if isinstance(leaf, torch.Tensor) and leaf.requires_grad]
    if not numbers:
        raise CannotScore(_("The network's outputs have no gradients."))
    # Drawn on the CPU, whose generator the scores are seeded on.
    signs = (2 * torch.randint(2, leaf.shape).to(leaf) - 1 for leaf in numbers)
    return sum((leaf * sign).sum() for leaf, sign in zip(numbers, signs, strict=True))


def used(model: nn.Module, names: list[str], inputs) -> list[str]:
    """Which of some weights the outputs depend on, although their layers are never called: attention reads its own."""
    if not names:
        return []
    with torch.enable_grad():
        total = drawn_sum(run(model, inputs))
        found = torch.autograd.grad(total, [model.get_parameter(name) for name in names], allow_unused=True)
    return [name for name, gradient in zip(names, found, strict=True) if gradient is not None]
