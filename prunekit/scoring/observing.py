"""Runs a network on a calibration set for what a scorer asks to see."""

from collections.abc import Iterable, Iterator, Mapping

import torch
from torch import nn
from torch.nn import functional
from torch.utils._pytree import tree_leaves, tree_map

from prunekit.core.errors import BadSetting, CannotScore
from prunekit.core.language import _
from prunekit.core.tasks import Task
from prunekit.scoring.base import Scorer
from prunekit.scoring.inputs import gathered
from prunekit.scoring.observation import Observation
from prunekit.structure.inputs import batch_size, forward
from prunekit.structure.tracing_copy import first_line


def _mean_squared_error(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    # reshape: (N, 1) outputs against (N,) targets would broadcast to (N, N) without a word.
    return functional.mse_loss(outputs.reshape(targets.shape), targets)


# By the name that `core.tasks.Task.loss` gives.
LOSSES = {"cross_entropy": functional.cross_entropy, "mean_squared_error": _mean_squared_error}


def observations(
    model: nn.Module,
    layers: Mapping[str, str],
    scorer: Scorer,
    batches: Iterable,
    task: Task,
    seed: int,
    example_inputs=None,
) -> Iterator[tuple[Observation, int]]:
    """What a scorer gets to see by its `needs` and `each`, each time with the number of examples behind it.

    model: a tracing copy. Raises BadSetting for a batch that is no (inputs, targets) pair, and CannotScore when the
    network or the loss does not take it.
    """
    parameters = dict(model.named_parameters())
    weights = {name: parameters[name].detach().float() for name in layers}
    if scorer.needs == "weights":
        yield Observation(model, layers, weights, seed=seed, example_inputs=example_inputs), 1
        return
    if scorer.needs == "activations":
        yield from _inputs(model, layers, weights, batches, seed)
        return
    singly, whole = scorer.each == "example", scorer.each == "set"
    mean: list[torch.Tensor] = []
    seen = 0
    for inputs, targets in _single(batches) if singly else map(_pair, batches):
        found = _gradients(model, [parameters[name] for name in layers], inputs, targets, task, scorer.of)
        examples = batch_size(inputs)
        seen += examples
        if whole:
            mean = [m.lerp_(g, examples / seen) for m, g in zip(mean, found, strict=True)] if mean else found
        else:
            gradients = dict(zip(layers, found, strict=True))
            yield Observation(model, layers, weights, gradients=gradients, seed=seed), examples
    if whole and seen:
        gradients = dict(zip(layers, mean, strict=True))
        yield Observation(model, layers, weights, gradients=gradients, seed=seed), seen


def _inputs(model: nn.Module, layers: Mapping[str, str], weights: Mapping, batches: Iterable, seed: int):
    """One observation of all batches, if there are any."""
    examples = 0
    with gathered(model, dict.fromkeys(layers.values())) as (into, out), torch.no_grad():
        for batch in batches:
            inputs, _targets = _pair(batch)
            _run(model, inputs)
            examples += batch_size(inputs)
    if examples:
        whole = {layer: one.whole() for layer, one in into.items()}
        firing = {layer: share for layer, one in out.items() if (share := one.whole()) is not None}
        yield Observation(model, layers, weights, inputs=whole, firing=firing, seed=seed), examples


def _single(batches: Iterable) -> Iterator[tuple]:
    """The examples of all batches, each as a batch of its own."""
    for batch in batches:
        pair = _pair(batch)
        for i in range(batch_size(pair[0])):
            yield tree_map(lambda value, i=i: value[i : i + 1] if isinstance(value, torch.Tensor) else value, pair)


def _pair(batch) -> tuple:
    if not isinstance(batch, (tuple, list)) or len(batch) != 2:
        raise BadSetting(_("A calibration set must give (inputs, targets) batches, as data.train.batches(64) does."))
    return tuple(batch)


def _gradients(model: nn.Module, weights: list, inputs, targets, task: Task, of: str) -> list[torch.Tensor]:
    with torch.enable_grad():
        inputs, targets = tree_map(_usable, (inputs, targets))
        outputs = _run(model, inputs)
        value = _loss(outputs, targets, task) if of == "loss" else _drawn_sum(outputs)
        # autograd.grad, not backward(): no .grad is touched.
        found = torch.autograd.grad(value, weights, allow_unused=True)
    return [torch.zeros_like(w) if g is None else g.detach().float() for w, g in zip(weights, found, strict=True)]


def _loss(outputs, targets, task: Task) -> torch.Tensor:
    try:
        return LOSSES[task.loss](outputs, targets)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        sentence = _("The loss of the task {task} does not take the calibration targets: {reason}")
        raise CannotScore(sentence.format(task=task.name, reason=first_line(error))) from error


def _drawn_sum(outputs) -> torch.Tensor:
    """All outputs added up with signs drawn by lot: the expected square of its gradient is the sum of the squares of
    their gradients, since the products of different ones cancel out (Hutchinson, 1989). One backward pass, not one for
    each output.
    """
    numbers = [leaf for leaf in tree_leaves(outputs) if isinstance(leaf, torch.Tensor) and leaf.requires_grad]
    if not numbers:
        raise CannotScore(_("The network's outputs have no gradients."))
    return sum((leaf * (2 * torch.randint_like(leaf, 2) - 1)).sum() for leaf in numbers)


def _usable(value):
    """Tensors made in inference mode cannot take part in gradients; a clone can."""
    if isinstance(value, torch.Tensor) and value.is_inference():
        return value.clone()
    return value


def _run(model: nn.Module, inputs):
    try:
        return forward(model, inputs)
    except Exception as error:  # a stranger's forward pass may raise anything
        sentence = _("The network does not run on the calibration set: {reason}")
        raise CannotScore(sentence.format(reason=first_line(error))) from error
