"""Inputs to run a network on: the ones given, the ones it names, or a good guess."""

import torch
from torch import nn
from torch.utils._pytree import tree_leaves

from prunekit.core.errors import CannotPrune
from prunekit.core.language import _
from prunekit.structure.tracing_copy import first_line, tracing_copy

# Sides of square inputs, tried in this order; tiny ones last, since most networks take them and shrink to nothing.
COMMON_SIDES = (28, 32, 64, 96, 128, 224, 256, 299, 8, 16)
BATCH = 2


def example_inputs_of(model: nn.Module, example_inputs=None):
    """Inputs that the model's forward pass takes: a tensor, or a tuple or dict of them as given.

    Without any given, random ones of a fixed seed in a batch of 2: of `model.input_shape` (without the batch), else
    of a shape guessed from the first convolution or linear layer. Raises CannotPrune when no guess passes.
    """
    if example_inputs is not None:
        if not any(isinstance(leaf, torch.Tensor) for leaf in tree_leaves(example_inputs)):
            raise CannotPrune(_("example_inputs must hold at least one tensor, the batch that the network takes."))
        return example_inputs
    shape = getattr(model, "input_shape", None)
    if shape is not None:
        return _random_batch(model, tuple(shape))
    twin = tracing_copy(model)
    for shape in _guesses(twin):
        inputs = _random_batch(twin, shape)
        if _passes(twin, inputs):
            return inputs
    raise CannotPrune(
        _("The input shape of this network is not known; give example_inputs, a batch of inputs that it takes.")
    )


def forward(model: nn.Module, inputs):
    """Call a model the way its inputs say: a dict by name, a tuple or list by position, a tensor alone."""
    if isinstance(inputs, dict):
        return model(**inputs)
    if isinstance(inputs, (tuple, list)):
        return model(*inputs)
    return model(inputs)


def run(model: nn.Module, inputs):
    """`forward` on a tracing copy's behalf: whatever goes wrong is one sentence. Raises CannotPrune."""
    try:
        return forward(model, inputs)
    except Exception as error:  # a stranger's forward pass may raise anything
        raise CannotPrune(
            _("The network does not run on the example inputs: {reason}").format(reason=first_line(error))
        ) from error


def batch_size(inputs) -> int:
    """The number of examples in a batch of inputs: the first axis of its first tensor."""
    first = next(leaf for leaf in tree_leaves(inputs) if isinstance(leaf, torch.Tensor))
    return first.shape[0] if first.dim() else 1


def _random_batch(model: nn.Module, shape: tuple[int, ...]) -> torch.Tensor:
    inputs = torch.randn(BATCH, *shape, generator=torch.Generator().manual_seed(0))
    like = next((p for p in model.parameters() if p.is_floating_point()), inputs)
    return inputs.to(like.device, like.dtype)


def _guesses(model: nn.Module):
    for module in model.modules():
        if isinstance(module, nn.modules.conv._ConvNd):
            dimensions = len(module.kernel_size)
            return [(module.in_channels, *[side] * dimensions) for side in COMMON_SIDES]
        if isinstance(module, nn.Linear):
            return [(module.in_features,)]
    return []


def _passes(model: nn.Module, inputs) -> bool:
    try:
        with torch.no_grad():
            forward(model, inputs)
    except Exception:  # the wrong size fails in as many ways as there are networks
        return False
    return True
