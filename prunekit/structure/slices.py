"""The one rule from a channel mask to slices of tensors, and its two uses: zero what goes, or drop it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import nn

from prunekit.structure.axes import channel_tensors, size_along, tensor_at
from prunekit.structure.groups import Group
from prunekit.structure.layers import CONVOLUTIONS


@dataclass(frozen=True)
class Slices:
    """What stays of a network.

    sizes: (layer, axis) -> channels that stay, axis "out" or "in";
    kept: state-dict key -> {dimension: int64 positions that stay, ascending}. Whatever is not named stays whole.
    """

    sizes: dict[tuple[str, str], int]
    kept: dict[str, dict[int, torch.Tensor]]


def kept_slices(model: nn.Module, groups: Iterable[Group], mask: Mapping[str, torch.Tensor]) -> Slices:
    """The slices that a channel mask leaves: group name -> bool (units,), True keeps; without an entry all stays."""
    gone: dict[tuple[str, str], list[torch.Tensor]] = defaultdict(list)
    for group in groups:
        if group.name in mask:
            for member in group.members:
                gone[member.layer, member.axis].append(member.positions[~mask[group.name].cpu()].flatten())
    sizes, kept = {}, defaultdict(dict)
    for (layer, axis), positions in gone.items():
        size = size_along(model, layer, axis)
        if size is None:  # one PReLU slope for all channels: nothing of it belongs to any of them
            continue
        stays = torch.ones(size, dtype=torch.bool)
        stays[torch.cat(positions)] = False
        sizes[layer, axis] = int(stays.sum())
        for key, dimension in channel_tensors(model, layer, axis).items():
            kept[key][dimension] = stays.nonzero().flatten()
    return Slices(sizes, dict(kept))


def zero_the_rest(model: nn.Module, slices: Slices) -> None:
    """Give `model`, in place, new parameters with zeros wherever `slices` does not keep them.

    Zeroing what a unit's consumers read makes the outputs those of the smaller network whatever lies between: a
    sigmoid of a masked unit is 0.5, not 0. Running statistics stay: no output depends on those of masked units.
    """
    parameters = dict(model.named_parameters())
    for key, kept in slices.kept.items():
        if key in parameters:
            tensor = parameters[key].detach().clone()
            for dimension, positions in kept.items():
                gone = torch.ones(tensor.shape[dimension], dtype=torch.bool)
                gone[positions] = False
                tensor.index_fill_(dimension, gone.nonzero().flatten().to(tensor.device), 0)
            replace_tensor(model, key, tensor)


def drop_the_rest(model: nn.Module, slices: Slices) -> None:
    """Give `model`, in place, new and smaller parameters and buffers that hold only what `slices` keeps."""
    for key, kept in slices.kept.items():
        before = tensor_at(model, key)
        tensor = before.detach()
        for dimension, positions in kept.items():
            tensor = tensor.index_select(dimension, positions.to(tensor.device))
        replace_tensor(model, key, tensor.contiguous(memory_format=_memory_format(before)))
    for (layer, axis), size in slices.sizes.items():
        try:
            _announce(model.get_submodule(layer), axis, size)
        except AttributeError:  # a raw parameter, which announces nothing
            continue


def replace_tensor(model: nn.Module, key: str, tensor: torch.Tensor) -> None:
    """Put another tensor under a state-dict key: as a parameter where one was, a buffer where not."""
    owner, _dot, name = key.rpartition(".")
    module = model.get_submodule(owner)
    if name in module._parameters:
        module._parameters[name] = nn.Parameter(tensor, module._parameters[name].requires_grad)
    else:
        module._buffers[name] = tensor


def _memory_format(tensor: torch.Tensor) -> torch.memory_format:
    last = {4: torch.channels_last, 5: torch.channels_last_3d}.get(tensor.dim())
    if last and tensor.is_contiguous(memory_format=last) and not tensor.is_contiguous():
        return last
    return torch.contiguous_format


def _announce(module: nn.Module, axis: str, size: int) -> None:
    """Write the new number of channels into the attributes that a layer keeps of it."""
    if isinstance(module, CONVOLUTIONS):
        if module.groups > 1:  # depthwise
            module.in_channels = module.out_channels = module.groups = size
        elif axis == "out":
            module.out_channels = size
        else:
            module.in_channels = size
    elif isinstance(module, nn.Linear):
        setattr(module, "out_features" if axis == "out" else "in_features", size)
    elif isinstance(module, nn.modules.batchnorm._NormBase):
        module.num_features = size
    elif isinstance(module, nn.GroupNorm):
        if module.num_groups == module.num_channels:
            module.num_groups = size
        module.num_channels = size
    elif isinstance(module, nn.LayerNorm):
        module.normalized_shape = (size,)
    elif isinstance(module, nn.PReLU):
        module.num_parameters = size
