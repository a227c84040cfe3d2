"""Which rows of scores are of the same kind: their layers are of the same types, kernels and roles."""

from collections.abc import Iterable

from torch import nn

from prunekit.structure.groups import Group
from prunekit.structure.weights import weight_names


def weight_kinds(model: nn.Module) -> dict[str, str]:
    """Each prunable weight tensor's kind: its layer's type, with the size of the kernel."""
    modules = dict(model.named_modules())
    return {name: _kind(modules.get(layer)) for name, layer in weight_names(model).items()}


def group_kinds(model: nn.Module, groups: Iterable[Group]) -> dict[str, str]:
    """Each channel group's kind: those of its members with what they do to it, in their order.

    Groups of one kind are isomorphic in the sense of Isomorphic Pruning (Fang et al., 2024): the same layers hang
    together in them in the same way, however many channels they have. In a ResNet the insides of all blocks are of one
    kind, and the channels that run along a stage are of another.
    """
    modules = dict(model.named_modules())
    return {
        group.name: ", ".join(f"{_kind(modules.get(member.layer))} {member.axis}" for member in group.members)
        for group in groups
    }


def _kind(module: nn.Module | None) -> str:
    if module is None:  # a raw parameter
        return "parameter"
    kernel = getattr(module, "kernel_size", None)
    sides = kernel if isinstance(kernel, tuple) else () if kernel is None else (kernel,)
    return " ".join([type(module).__name__, "x".join(map(str, sides))]).strip()
