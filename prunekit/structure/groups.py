"""Channel groups: the units of several layers that must go together, and why some cannot go at all."""

import itertools
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import torch
from torch import nn
from torch.utils._pytree import tree_map

from prunekit.core.language import _
from prunekit.structure.axes import channel_tensors, size_along
from prunekit.structure.coupling import Unit, coupled_units
from prunekit.structure.inputs import example_inputs_of
from prunekit.structure.layers import CONVOLUTIONS, execution_order, is_weighted
from prunekit.structure.tracing_copy import tracing_copy

# Besides LayerNorm and GroupNorm, which have conditions of their own.
KNOWN = (
    CONVOLUTIONS,
    nn.Linear,
    nn.modules.batchnorm._BatchNorm,
    nn.modules.instancenorm._InstanceNorm,
    nn.PReLU,
)


@dataclass(frozen=True)
class Member:
    """A layer's share of a group.

    layer: the module's name (the parameter's, for a raw parameter); axis: "out" (what it produces, and everything
    that acts on single channels) or "in" (what it consumes); positions: (units, k) int64, for each unit of the group
    the k positions along that axis that belong to it (k > 1 behind a flatten).
    """

    layer: str
    axis: str
    positions: torch.Tensor = field(repr=False)


@dataclass(frozen=True)
class Group:
    """Units that can be pruned one by one, each with all that depends on it.

    name: the group's first layer (with a number behind it where that layer is first in several groups);
    prunable: otherwise `problem` says why not; exact: whether the smaller network gives the outputs of the masked
    one, otherwise `inexact_because` says why not. Both are sentences.
    """

    name: str
    units: int
    members: tuple[Member, ...]
    prunable: bool = True
    problem: str = ""
    exact: bool = True
    inexact_because: str = ""

    @property
    def producers(self) -> tuple[Member, ...]:
        """The members that make the group's channels."""
        return tuple(m for m in self.members if m.axis == "out")

    @property
    def consumers(self) -> tuple[Member, ...]:
        """The members that read the group's channels."""
        return tuple(m for m in self.members if m.axis == "in")


def channel_groups(model: nn.Module, example_inputs=None) -> tuple[Group, ...]:
    """The channel groups of a network in the order of its forward pass, prunable or not.

    Traced with Torch-Pruning and then tried out: half of the units of each group are removed from a copy and its
    outputs compared with those of a masked copy, so that a group is offered for pruning only where that works on the
    example inputs. The model is left as it is. Raises CannotPrune when the network cannot be traced.
    """
    from prunekit.structure.trial import tried  # it speaks of groups too

    # Tracing follows gradients, which inference mode does not record, not even for tensors made in it.
    with torch.inference_mode(False):
        inputs = tree_map(_recordable, example_inputs_of(model, example_inputs))
        order = execution_order(model, inputs)
        twin = tracing_copy(model)
        modules = dict(twin.named_modules())
        alike: dict[tuple, list[Unit]] = defaultdict(list)
        for unit in coupled_units(twin, inputs):
            if any(axis == "out" and is_weighted(modules.get(name)) for name, axis in unit.places):
                alike[_signature(unit)].append(unit)
        groups = [_group(units, order, modules) for units in alike.values()]
        groups.sort(key=lambda g: (order.get(g.members[0].layer, len(order)), int(g.members[0].positions.min())))
        shared = _shared_tensors(model)
        groups = [_with_problem(g, twin, modules, shared) for g in _uniquely_named(groups, modules)]
        return tuple(tried(model, groups, inputs))


def _recordable(value):
    """A tensor made in inference mode as an ordinary one."""
    return value.clone() if isinstance(value, torch.Tensor) and value.is_inference() else value


def _signature(unit: Unit) -> tuple:
    """Units of one group touch the same layers, each in the same number of positions."""
    touched = sorted((name, axis, len(positions)) for (name, axis), positions in unit.places.items())
    return (*touched, unit.answers, unit.fixed_places)


def _group(units: list[Unit], order: dict[str, int], modules: dict) -> Group:
    """One group of like units, members in the order of the forward pass with the naming layer first."""

    def rank(place: tuple[str, str]):
        name, axis = place
        return (not (axis == "out" and is_weighted(modules.get(name))), order.get(name, len(order)), name, axis)

    places = sorted(units[0].places, key=rank)
    units = sorted(units, key=lambda unit: min(unit.places[places[0]]))
    members = tuple(Member(name, axis, torch.tensor([u.places[name, axis] for u in units])) for name, axis in places)
    problem = ""
    if units[0].answers:
        problem = _("Its outputs are the network's answer.")
    elif units[0].fixed_places:
        problem = _("The network's code splits or slices these channels at fixed places.")
    return Group(places[0][0], len(units), members, not problem, problem)


def _uniquely_named(groups: Iterable[Group], modules: dict) -> list[Group]:
    """Each group under the first of its producing layers that has not given its name yet, or a numbered one."""
    taken: set[str] = set()
    named = []
    for group in groups:
        producers = (m.layer for m in group.producers if is_weighted(modules.get(m.layer)))
        candidates = itertools.chain(producers, (f"{group.name}[{n}]" for n in itertools.count(2)))
        name = next(c for c in candidates if c not in taken)
        taken.add(name)
        named.append(replace(group, name=name))
    return named


def _shared_tensors(model: nn.Module) -> set[str]:
    """The names of parameters that appear under more than one name."""
    names = defaultdict(list)
    for name, parameter in model.named_parameters(remove_duplicate=False):
        names[id(parameter)].append(name)
    return {name for several in names.values() if len(several) > 1 for name in several}


def _with_problem(group: Group, twin: nn.Module, modules: dict, shared: set[str]) -> Group:
    """The group with what its layers say against removing channels, or against equal outputs."""
    problem, inexact = group.problem, ""
    for member in group.members:
        module = modules.get(member.layer)
        problem = problem or _problem(member, module) or _misplaced(member, twin)
        if shared & set(channel_tensors(twin, member.layer, member.axis)):
            problem = problem or _("{layer} shares its weights with another layer.").format(layer=member.layer)
        if isinstance(module, (nn.LayerNorm, nn.GroupNorm)) and not _per_channel(module):
            inexact = inexact or _(
                "{layer} normalises over the channels: masked channels still count there as zeros, removed ones do not."
            ).format(layer=member.layer)
    return replace(group, prunable=not problem, problem=problem, exact=not inexact, inexact_because=inexact)


def _per_channel(module: nn.Module) -> bool:
    return isinstance(module, nn.GroupNorm) and module.num_groups == module.num_channels


def _problem(member: Member, module: nn.Module | None) -> str:
    """Why channels of one layer cannot be removed, or nothing."""
    name = member.layer
    if isinstance(module, CONVOLUTIONS) and module.groups > 1:
        if not module.groups == module.in_channels == module.out_channels:
            return _("{layer} is a grouped convolution; its channels come in fixed blocks.").format(layer=name)
    elif isinstance(module, nn.GroupNorm):
        if module.num_groups > 1 and not _per_channel(module):
            return _("{layer} normalises blocks of channels, which must stay of equal size.").format(layer=name)
    elif isinstance(module, nn.LayerNorm):
        if len(module.normalized_shape) > 1:
            return _("{layer} normalises over several axes at once.").format(layer=name)
    elif module is not None and not isinstance(module, KNOWN):
        kind = type(module).__name__
        return _("{layer} is a {kind}, whose channels cannot be removed yet.").format(layer=name, kind=kind)
    return ""


def _misplaced(member: Member, twin: nn.Module) -> str:
    """A sentence when tracing named positions that a layer does not have."""
    size = size_along(twin, member.layer, member.axis)
    if size is None or int(member.positions.max()) < size:
        return ""
    return _("The channels of {layer} could not be told apart by tracing.").format(layer=member.layer)
