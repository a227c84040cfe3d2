"""The layers of a network: shapes, parameters, multiply-accumulates, and whether each can be pruned."""

import math
from collections import defaultdict
from dataclasses import dataclass

import torch
from torch import nn

from prunekit.core.language import _
from prunekit.structure.inputs import batch_size, example_inputs_of, run
from prunekit.structure.tracing_copy import tracing_copy

CONVOLUTIONS = nn.modules.conv._ConvNd


@dataclass(frozen=True)
class Layer:
    """One leaf module with parameters.

    shape: of its weight (its largest parameter, where it has no `weight`); output_shape: without the batch, () where
    the forward pass does not reach it; macs: multiply-accumulates for one example; prunable: whether single weights
    and channels of it can be pruned, otherwise `reason` says why not, in a sentence.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    parameters: int
    macs: int
    prunable: bool
    reason: str


def layers(model: nn.Module, example_inputs=None) -> list[Layer]:
    """Every leaf module with parameters, in the order in which the forward pass reaches it.

    Layers that it never reaches come last. Raises CannotPrune when the network does not run on the example inputs.
    """
    outputs, macs = _trace(model, example_inputs)
    modules = {name: m for name, m in model.named_modules() if _is_leaf(m) and list(m.parameters())}
    order = [name for name in outputs if name in modules] + [name for name in modules if name not in outputs]
    return [_layer(name, modules[name], outputs.get(name), macs.get(name, 0)) for name in order]


def count_macs(model: nn.Module, example_inputs=None) -> int:
    """Multiply-accumulates of one example in one forward pass.

    Convolutions and linear layers count, each time they are called; biases, normalisation, activations, pooling and
    matrix products outside of layers do not. Half of what FLOP counters report.
    """
    return sum(_trace(model, example_inputs)[1].values())


def execution_order(model: nn.Module, example_inputs=None) -> dict[str, int]:
    """Leaf module name -> its place in the forward pass, for those that it reaches."""
    return {name: place for place, name in enumerate(_trace(model, example_inputs)[0])}


def is_weighted(module: nn.Module) -> bool:
    """Whether a module is one of those that pruning thinks in: a convolution or a linear layer."""
    return isinstance(module, (CONVOLUTIONS, nn.Linear))


def _is_leaf(module: nn.Module) -> bool:
    return next(module.children(), None) is None


def _trace(model: nn.Module, example_inputs) -> tuple[dict[str, tuple[int, ...]], dict[str, int]]:
    """Output shapes (in execution order) and MACs of all leaf modules for one example."""
    inputs = example_inputs_of(model, example_inputs)
    twin, examples = tracing_copy(model), batch_size(inputs)
    outputs: dict[str, tuple[int, ...]] = {}
    macs: dict[str, int] = defaultdict(int)

    def note(name):
        def hook(module, args, output):
            if isinstance(output, torch.Tensor):
                outputs.setdefault(name, tuple(output.shape[1:]))
                macs[name] += _macs(module, args, output) // examples
            else:
                outputs.setdefault(name, ())

        return hook

    for name, module in twin.named_modules():
        if _is_leaf(module):
            module.register_forward_hook(note(name))
    with torch.no_grad():
        run(twin, inputs)
    return outputs, macs


def _macs(module: nn.Module, args, output: torch.Tensor) -> int:
    """Multiply-accumulates of one call on a whole batch."""
    if isinstance(module, CONVOLUTIONS):
        # A transposed convolution spreads each input over the kernel; a plain one gathers each output from it.
        positions = args[0].numel() if module.transposed else output.numel()
        channels = module.out_channels if module.transposed else module.in_channels
        return positions * (channels // module.groups) * math.prod(module.kernel_size)
    if isinstance(module, nn.Linear):
        return output.numel() * module.in_features
    return 0


def _layer(name: str, module: nn.Module, output_shape: tuple[int, ...] | None, macs: int) -> Layer:
    parameters = list(module.parameters())
    weight = getattr(module, "weight", None)
    if not isinstance(weight, torch.Tensor):
        weight = max(parameters, key=torch.Tensor.numel)
    reason = ""
    if not is_weighted(module):
        reason = _("Only the weights of convolutions and linear layers are pruned; this layer follows its neighbours.")
    elif output_shape is None:
        reason = _("The forward pass does not call this layer.")
    size = sum(p.numel() for p in parameters)
    kind = type(module).__name__
    return Layer(name, kind, tuple(weight.shape), output_shape or (), size, macs, not reason, reason)
