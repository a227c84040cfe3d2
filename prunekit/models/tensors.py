"""Tensors from the bytes of a safetensors file into a network, whatever sizes its layers have by now."""

import torch
from safetensors import SafetensorError
from safetensors.torch import load as tensors_from_bytes
from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from prunekit.models.architectures import build


class Misfit(ValueError):
    """Tensors that do not fit the network they should go into."""


def network(blueprint: dict, data: bytes, groups: dict[str, int] | None = None) -> nn.Module:
    """The network of a blueprint in eval mode, with the tensors in `data` and layers of their sizes.

    groups: for convolutions whose number of groups is another than in the blueprint.
    Raises Misfit, or what `build` raises.
    """
    try:
        tensors = tensors_from_bytes(data)
    except (SafetensorError, ValueError, KeyError) as error:
        raise Misfit("not a safetensors file") from error
    # On the meta device a network takes no memory and no random numbers until its sizes are known.
    with torch.device("meta"):
        model = build(blueprint["architecture"], blueprint["arguments"])
    resize(model, {name: tuple(tensor.shape) for name, tensor in tensors.items()}, groups or {})
    model.to_empty(device="cpu")
    _fill(model, tensors)
    return model.eval()


def resize(model: nn.Module, shapes: dict[str, tuple[int, ...]], groups: dict[str, int]) -> None:
    """Gives every layer the sizes that its tensors have in `shapes` (state_dict name -> shape), in place."""
    wanted, given = set(model.state_dict()), set(shapes)
    if wanted != given:
        raise Misfit(f"missing or surplus tensors: {', '.join(sorted(wanted ^ given)[:3])}")
    for prefix, module in model.named_modules():
        changed = False
        for name, tensor in [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]:
            shape = shapes.get(f"{prefix}.{name}" if prefix else name, tensor.shape)
            if tensor.shape != shape:
                if tensor.dim() != len(shape):
                    raise Misfit(f"{prefix}.{name} has {len(shape)} dimensions instead of {tensor.dim()}")
                setattr(module, name, _empty(tensor, shape))
                changed = True
        if prefix in groups:
            module.groups = groups[prefix]
        if changed:
            _adjust(module)


def _empty(tensor: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    """A parameter or buffer of the same kind and another shape."""
    empty = torch.empty(shape, dtype=tensor.dtype, device=tensor.device)
    return nn.Parameter(empty, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else empty


def _adjust(module: nn.Module) -> None:
    """The numbers that a layer keeps beside its tensors."""
    weight = getattr(module, "weight", None)
    if isinstance(module, _ConvTransposeNd):
        module.in_channels, module.out_channels = weight.shape[0], weight.shape[1] * module.groups
    elif isinstance(module, _ConvNd):
        module.out_channels, module.in_channels = weight.shape[0], weight.shape[1] * module.groups
    elif isinstance(module, nn.Linear):
        module.out_features, module.in_features = weight.shape
    elif isinstance(module, _NormBase):
        module.num_features = len(weight if weight is not None else module.running_mean)
    elif isinstance(module, nn.LayerNorm):
        module.normalized_shape = tuple(weight.shape)
    elif isinstance(module, nn.GroupNorm):
        module.num_channels = len(weight)
    elif isinstance(module, nn.PReLU):
        module.num_parameters = len(weight)
    elif isinstance(module, nn.Embedding):
        module.num_embeddings, module.embedding_dim = weight.shape


def _fill(model: nn.Module, tensors: dict[str, torch.Tensor]) -> None:
    """Copies the tensors in; types must be those of the file, so that nothing is rounded unasked."""
    for name, tensor in tensors.items():
        owner, _dot, last = name.rpartition(".")
        module = model.get_submodule(owner)
        place = getattr(module, last)
        if place.dtype is not tensor.dtype:
            place.data = place.data.to(tensor.dtype)
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        raise Misfit(str(error)) from error
