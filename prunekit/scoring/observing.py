"""Runs a network on a calibration set for what a scorer asks to see."""

from collections.abc import Iterable, Iterator, Mapping

import torch
from torch import nn
from torch.nn import functional
from torch.utils._pytree import tree_leaves, tree_map

from prunekit.core.errors import BadSetting, CannotScore
from prunekit.core.language import _
from prunekit.core.tasks import Task
from prunekit.scoring.activity import gathered
from prunekit.scoring.base import Scorer
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
        yield from _activations(model, layers, weights, batches, seed, scorer.behind)
        return
    singly, whole = scorer.each == "example", scorer.each == "set"
    mean: list[torch.Tensor] = []
    seen = 0
    for inputs, targets in _single(batches) if singly else map(_pair, batches):
        found = _gradients(model, [parameters[name] for name in layers], inputs, targets, task, scorer.of)
        examples = batch_size(inputs)
        seen += examples
        if whole:
            # Not in place: autograd may have given the same tensor for two weights.
            mean = [m.lerp(g, examples / seen) for m, g in zip(mean, found, strict=True)] if mean else found
        else:
            gradients = dict(zip(layers, found, strict=True))
            yield Observation(model, layers, weights, gradients=gradients, seed=seed), examples
    if whole and seen:
        gradients = dict(zip(layers, mean, strict=True))
        yield Observation(model, layers, weights, gradients=gradients, seed=seed), seen


def _activations(
    model: nn.Module, layers: Mapping[str, str], weights: Mapping, batches: Iterable, seed: int, behind: bool
) -> Iterator[tuple[Observation, int]]:
    """One observation of all batches, if there are any."""
    examples = 0
    with gathered(model, dict.fromkeys(layers.values()), behind) as found, torch.no_grad():
        for batch in batches:
            inputs, _targets = _pair(batch)
            _run(model, inputs)
            examples += batch_size(inputs)
    if not examples:
        return
    into, out = ({layer: one.whole() for layer, one in side.items() if one.count} for side in found)
    for layer, activity in (into | out).items():
        if not torch.isfinite(activity.square).all():
            sentence = _("The activations at {layer} are not finite; look for such values in weights and data.")
            raise CannotScore(sentence.format(layer=layer))
    quiet = [name for name, layer in layers.items() if layer not in into]
    unseen = frozenset(layers[name] for name in _used(model, quiet, inputs))
    yield Observation(model, layers, weights, inputs=into, outputs=out, unseen=unseen, seed=seed), examples


def _used(model: nn.Module, names: list[str], inputs) -> list[str]:
    """Which of some weights the outputs depend on, although their layers are never called: attention reads its own."""
    if not names:
        return []
    with torch.enable_grad():
        total = _drawn_sum(_run(model, inputs))
        found = torch.autograd.grad(total, [model.get_parameter(name) for name in names], allow_unused=True)
    return [name for name, gradient in zip(names, found, strict=True) if gradient is not None]


def _single(batches: Iterable) -> Iterator[tuple]:
    """The examples of all batches, each as a batch of its own; what has another first axis belongs to all of them."""
    for batch in batches:
        inputs, targets = pair = _pair(batch)
        count = batch_size(inputs)
        if isinstance(targets, torch.Tensor) and not targets.dim():  # an example without a batch axis
            yield pair
            continue
        for i in range(count):
            yield tree_map(lambda value, i=i, count=count: _row(value, i, count), pair)


def _row(value, i: int, count: int):
    batched = isinstance(value, torch.Tensor) and value.dim() and len(value) == count
    return value[i : i + 1] if batched else value


def _pair(batch) -> tuple:
    """The inputs and the targets of a batch, copied: a network may write to what it is given, and tensors made in
    inference mode could not take part in gradients.
    """
    if not isinstance(batch, (tuple, list)) or len(batch) != 2:
        raise BadSetting(_("A calibration set must give (inputs, targets) batches, as data.train.batches(64) does."))
    return tree_map(lambda value: value.clone() if isinstance(value, torch.Tensor) else value, tuple(batch))


def _gradients(model: nn.Module, weights: list, inputs, targets, task: Task, of: str) -> list[torch.Tensor]:
    with torch.enable_grad():
        outputs = _run(model, inputs)
        value = _loss(outputs, targets, task) if of == "loss" else _drawn_sum(outputs)
        # autograd.grad, not backward(): no .grad is touched.
        found = torch.autograd.grad(value, weights, allow_unused=True)
    return [(torch.zeros_like(w) if g is None else g.detach()).float() for w, g in zip(weights, found, strict=True)]


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
    # Drawn on the CPU, whose generator the scores are seeded on.
    signs = (2 * torch.randint(2, leaf.shape).to(leaf) - 1 for leaf in numbers)
    return sum((leaf * sign).sum() for leaf, sign in zip(numbers, signs, strict=True))


def _run(model: nn.Module, inputs):
    try:
        return forward(model, inputs)
    except Exception as error:  # a stranger's forward pass may raise anything
        sentence = _("The network does not run on the calibration set: {reason}")
        raise CannotScore(sentence.format(reason=first_line(error))) from error
