"""What a mask asks of a model: checked against it, and with the floor under it."""

import copy
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from prunekit.core.errors import BadSetting, CannotPrune, FloorWarning
from prunekit.core.language import _, ngettext
from prunekit.masks import Mask
from prunekit.structure.groups import Group, channel_groups
from prunekit.structure.parts import Parts, parts_like
from prunekit.structure.slices import Slices, kept_slices
from prunekit.structure.tracing_copy import check_plain, first_line


@dataclass(frozen=True)
class Plan:
    """A checked mask: `weights` (parameter name -> bool, of its shape, whatever units the mask was of) and `slices` for
    its channel entries.
    """

    weights: Mapping[str, torch.Tensor]
    slices: Slices


def plan(
    model: nn.Module,
    mask: Mapping[str, torch.Tensor],
    example_inputs=None,
    floor: int = 1,
    groups: Sequence[Group] | None = None,
) -> Plan:
    """What masking or removal has to do. Warns with FloorWarning where the floor keeps units that the mask does not.

    groups: of this model, where they are known already. Raises CannotPrune for an entry that does not fit the model.
    """
    check_plain(model)
    if floor < 0:
        raise BadSetting(_("The floor must be 0 units or more, not {floor}.").format(floor=floor))
    mask = mask if isinstance(mask, Mask) else _mask(mask)
    parameters = dict(model.named_parameters(remove_duplicate=False))
    modules = dict(model.named_modules())
    parts = {name: _parts(name, mask[name], parameters[name], modules) for name in mask if name in parameters}
    channels = [name for name in mask if name not in parameters]
    if channels and groups is None:
        groups = channel_groups(model, example_inputs)
    for name in channels:
        _check_channels(name, mask[name], groups)
    mask, rescued = mask.floored(floor)
    if rescued:
        _warn(rescued, floor)
    slices = kept_slices(model, groups or (), {name: mask[name] for name in channels if not mask[name].all()})
    return Plan({name: of_weight.spread(mask[name]) for name, of_weight in parts.items()}, slices)


def kept_units(mask: Mapping[str, torch.Tensor], floor: int = 1) -> dict[str, list[int]]:
    """For each channel entry of a mask the indices of the units that stay, ascending, with the floor applied."""
    mask, _rescued = (mask if isinstance(mask, Mask) else _mask(mask)).floored(floor)
    channels = {name: entry for name, entry in mask.items() if entry.dim() == 1 and name.rpartition(".")[2] != "weight"}
    return {name: entry.nonzero().flatten().tolist() for name, entry in channels.items()}


def duplicate(model: nn.Module) -> nn.Module:
    """A model of its own: modules, tensors, mode and attributes copied, gradients left behind."""
    try:
        return copy.deepcopy(model)
    except Exception as error:  # whatever a stranger's modules hold
        raise CannotPrune(_("The network cannot be copied: {reason}").format(reason=first_line(error))) from error


def _mask(entries: Mapping[str, torch.Tensor]) -> Mask:
    try:
        return Mask(entries)
    except (TypeError, AttributeError) as error:
        raise CannotPrune(
            _("A mask must map names to bool tensors, True for what stays; prune_lowest makes one.")
        ) from error


def _parts(name: str, entry: torch.Tensor, weight: torch.Tensor, modules: Mapping[str, nn.Module]) -> Parts:
    """The units of a weight that an entry is a mask of."""
    found = parts_like(modules.get(name.rpartition(".")[0]), weight.shape, entry.shape)
    if found is None:
        _check_shape(name, entry, weight.shape)
    return found


def _check_shape(name: str, entry: torch.Tensor, wanted: torch.Size) -> None:
    if entry.shape != wanted:
        raise CannotPrune(
            _("The mask of {name} has the shape {given}, but the network's is {wanted}.").format(
                name=name, given=tuple(entry.shape), wanted=tuple(wanted)
            )
        )


def _check_channels(name: str, entry: torch.Tensor, groups: Sequence[Group]) -> None:
    group = next((g for g in groups if g.name == name), None)
    if group is None:
        known = ", ".join(g.name for g in groups if g.prunable)
        raise CannotPrune(
            _("The mask names “{name}”, which is no weight and no channel group; the groups are: {known}.").format(
                name=name, known=known or "–"
            )
        )
    _check_shape(name, entry, torch.Size([group.units]))
    if not group.prunable and not entry.all():
        raise CannotPrune(
            _("The channels of {layer} cannot be pruned: {problem}").format(layer=name, problem=group.problem)
        )


def _warn(rescued: tuple[str, ...], floor: int) -> None:
    sentence = ngettext(
        "A mask would have emptied whole layers; {floor} unit was kept in each of: {layers}.",
        "A mask would have emptied whole layers; {floor} units were kept in each of: {layers}.",
        floor,
    )
    # The level at which the caller of masked_copy or remove_channels stands.
    warnings.warn(sentence.format(floor=floor, layers=", ".join(rescued)), FloorWarning, stacklevel=4)
