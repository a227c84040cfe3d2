"""Where the channels of a layer lie in its tensors."""

import torch
from torch import nn

from prunekit.structure.layers import CONVOLUTIONS

NORMALISATIONS = (
    nn.modules.batchnorm._BatchNorm,
    nn.modules.instancenorm._InstanceNorm,
    nn.GroupNorm,
    nn.LayerNorm,
)


def channel_tensors(model: nn.Module, layer: str, axis: str) -> dict[str, int]:
    """State-dict key -> dimension, for each tensor of a layer that has one slice for each of its channels.

    axis: "out" or "in". `layer` may name a raw parameter; its channels lie in its last dimension longer than 1.
    """
    module = _module(model, layer)
    if module is None:
        shape = model.get_parameter(layer).shape
        return {layer: max((i for i, size in enumerate(shape) if size > 1), default=0)}
    dimensions: dict[str, int] = {}
    if isinstance(module, CONVOLUTIONS) and module.groups > 1:  # depthwise: one filter for each channel
        dimensions = {"weight": 0, "bias": 0}
    elif isinstance(module, (CONVOLUTIONS, nn.Linear)):
        turned = isinstance(module, CONVOLUTIONS) and module.transposed
        dimensions = {"weight": int(turned), "bias": 0} if axis == "out" else {"weight": 1 - int(turned)}
    elif isinstance(module, NORMALISATIONS):
        dimensions = {"weight": 0, "bias": 0, "running_mean": 0, "running_var": 0}
    elif isinstance(module, nn.PReLU) and module.num_parameters > 1:
        dimensions = {"weight": 0}
    prefix = f"{layer}." if layer else ""
    return {
        f"{prefix}{name}": dimension
        for name, dimension in dimensions.items()
        if isinstance(getattr(module, name, None), torch.Tensor)
    }


def size_along(model: nn.Module, layer: str, axis: str) -> int | None:
    """How many channels a layer has along an axis; None where nothing of it says."""
    module = _module(model, layer)
    if isinstance(module, nn.modules.batchnorm._NormBase):  # these may have no tensors at all
        return module.num_features
    if isinstance(module, nn.GroupNorm):
        return module.num_channels
    if isinstance(module, nn.LayerNorm):
        return module.normalized_shape[0]
    for key, dimension in channel_tensors(model, layer, axis).items():
        return tensor_at(model, key).shape[dimension]
    return None


def tensor_at(model: nn.Module, key: str) -> torch.Tensor:
    """The parameter or buffer under a state-dict key."""
    owner, _dot, name = key.rpartition(".")
    return getattr(model.get_submodule(owner), name)


def _module(model: nn.Module, name: str) -> nn.Module | None:
    try:
        return model.get_submodule(name)
    except AttributeError:  # the name of a raw parameter
        return None
