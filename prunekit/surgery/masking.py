"""Masking: a copy of the model with zeros where a mask prunes, of unchanged shapes."""

from collections.abc import Mapping, Sequence

import torch
from torch import nn

from prunekit.structure.axes import tensor_at
from prunekit.structure.groups import Group
from prunekit.structure.slices import zero_the_rest
from prunekit.surgery.plan import duplicate, plan


def masked_copy(
    model: nn.Module,
    mask: Mapping[str, torch.Tensor],
    example_inputs=None,
    floor: int = 1,
    groups: Sequence[Group] | None = None,
) -> nn.Module:
    """A new model with zeros for everything that `mask` prunes; the given one is left as it is.

    mask: name -> bool tensor, True keeps. Entries named after parameters are of their shape, or of that of their
    kernels, rows or tiles (see `structure.parts`); entries named after
    channel groups are (units,), and take with them whatever belongs to a pruned unit: its filters, biases and
    normalisation, and what its consumers read of it. So the outputs are those of `remove_channels` in eval mode.
    example_inputs: a small batch to find the groups with; groups: those of this model, where they are known.
    floor: the units that every entry keeps at least; a FloorWarning names the layers where that mattered.
    Raises CannotPrune when the mask does not fit the model.
    """
    todo = plan(model, mask, example_inputs, floor, groups)
    # Whoever calls from within inference mode gets ordinary tensors all the same, which can be trained.
    with torch.inference_mode(False), torch.no_grad():
        twin = duplicate(model)
        zero_the_rest(twin, todo.slices)
        for name, keep in todo.weights.items():
            # In place, so that layers that share a tensor go on sharing it; masked_fill, not a product, which would
            # leave infinite weights as NaN.
            tensor = tensor_at(twin, name)
            tensor.masked_fill_(~keep.to(tensor.device), 0)
    return twin
