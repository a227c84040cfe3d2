"""Synaptic flow: what passes through each weight when all are positive and all inputs are one, without any data."""

from collections.abc import Mapping

import torch
from torch import nn
from torch.utils._pytree import tree_leaves, tree_map

SHIFTS = ("bias", "running_mean")


def synaptic_flow(model: nn.Module, names: list[str], example_inputs) -> dict[str, torch.Tensor]:
    """For each named weight tensor |w| ∂R/∂|w| / R, float32, in [0, 1]: its share of R, the sum of the outputs.

    R is computed with the absolute values of all weights and without biases and running means, so that it is a sum of
    products along all paths (Tanaka et al., 2020); what a layer's weights share then adds up to 1 where each path goes
    through the layer once. model: in eval mode, left as it is; example_inputs: of which the shapes are taken.
    """
    tensors = [*model.named_parameters(), *model.named_buffers()]
    # Double precision: the products along the paths of a deep network leave the range of single precision.
    positive = {name: _positive(name, tensor) for name, tensor in tensors if tensor.is_floating_point()}
    asked = [positive[name].requires_grad_() for name in names]
    with torch.enable_grad():
        outputs = torch.func.functional_call(model, positive, *_arguments(tree_map(_ones, example_inputs)))
        total = sum(leaf.sum() for leaf in tree_leaves(outputs) if isinstance(leaf, torch.Tensor))
        found = torch.autograd.grad(total, asked, allow_unused=True)
    whole = total.detach().clamp_min(torch.finfo(total.dtype).tiny)
    shares = (w.detach() * (0 if g is None else g) / whole for w, g in zip(asked, found, strict=True))
    return {name: share.float() for name, share in zip(names, shares, strict=True)}


def _positive(name: str, tensor: torch.Tensor) -> torch.Tensor:
    values = tensor.detach().double()
    return torch.zeros_like(values) if name.rpartition(".")[2] in SHIFTS else values.abs()


def _ones(value):
    """One example of ones; of numbers that are no measures, such as those of words, the first example as it is."""
    if not isinstance(value, torch.Tensor):
        return value
    one = value[:1]
    return torch.ones_like(one, dtype=torch.float64) if one.is_floating_point() else one


def _arguments(inputs) -> tuple[tuple, Mapping]:
    """Inputs as the positional and the named arguments of a forward pass."""
    if isinstance(inputs, dict):
        return (), inputs
    return (tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)), {}
