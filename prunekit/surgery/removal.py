"""Removal: a really smaller copy of the model, without the channels that a mask prunes."""

from collections.abc import Mapping, Sequence

import torch
from torch import nn

from prunekit.core.errors import BadSetting, CannotPrune
from prunekit.core.language import _
from prunekit.structure.groups import Group
from prunekit.structure.slices import drop_the_rest
from prunekit.surgery.plan import duplicate, plan


def remove_channels(
    model: nn.Module,
    mask: Mapping[str, torch.Tensor],
    example_inputs=None,
    floor: int = 1,
    groups: Sequence[Group] | None = None,
) -> nn.Module:
    """A new model of smaller layers, without the units that `mask` prunes; the given one is left as it is.

    mask: channel group -> bool (units,), True keeps. Mode, dtypes, memory format, `requires_grad` and plain
    attributes stay. In eval mode the outputs are those of `masked_copy`, except through normalisation over channels
    (`Group.exact` says so). example_inputs: a small batch to find the groups with; groups: those of this model, where
    they are known. floor: the units that every group keeps at least, 1 or more; a FloorWarning names the layers where
    that mattered. Raises CannotPrune when the mask does not fit the model or holds single weights.
    """
    if floor < 1:
        raise BadSetting(_("At least one unit of each layer stays when channels are removed; the floor must be 1."))
    todo = plan(model, mask, example_inputs, floor, groups)
    if todo.weights:
        raise CannotPrune(
            _("Single weights ({name}) cannot be removed, only set to zero; use masked_copy for this mask.").format(
                name=next(iter(todo.weights))
            )
        )
    # Whoever calls from within inference mode gets ordinary tensors all the same, which can be trained.
    with torch.inference_mode(False), torch.no_grad():
        twin = duplicate(model)
        drop_the_rest(twin, todo.slices)
    return twin
