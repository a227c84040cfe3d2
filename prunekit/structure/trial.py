"""Try removal out on the example inputs, so that only what really works is offered for pruning."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import nn
from torch.utils._pytree import tree_leaves

from prunekit.core.language import _
from prunekit.structure.groups import Group
from prunekit.structure.inputs import forward
from prunekit.structure.slices import drop_the_rest, kept_slices, zero_the_rest
from prunekit.structure.tracing_copy import first_line, tracing_copy

# Sums in another order differ by about 1e-6 of the largest output in float32, and by 1e-2 in half precision.
TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-4}
HALF_PRECISION_TOLERANCE = 5e-2


def tried(model: nn.Module, groups: Sequence[Group], inputs) -> list[Group]:
    """The groups, those that failed a trial removal marked as not prunable, with what happened.

    Every second unit of all prunable groups goes at once; only where that fails is each group tried alone.
    """
    found = {group.name: group for group in groups}
    # Groups that promise equal outputs first: one inexact layer would hide what the others do.
    for together in ([g for g in groups if g.prunable and g.exact], [g for g in groups if g.prunable and not g.exact]):
        if together and _failure(model, together, inputs):
            for group in together:
                problem = _failure(model, [group], inputs)
                found[group.name] = replace(group, prunable=not problem, problem=problem)
    return [found[group.name] for group in groups]


def _failure(model: nn.Module, groups: Sequence[Group], inputs) -> str:
    """What goes wrong when every second unit of some groups is removed; nothing when all is well."""
    mask = {group.name: torch.arange(group.units) % 2 == 0 for group in groups}
    masked, smaller = tracing_copy(model), tracing_copy(model)
    slices = kept_slices(model, groups, mask)
    zero_the_rest(masked, slices)
    try:
        drop_the_rest(smaller, slices)
        with torch.no_grad():
            wanted, given = tree_leaves(forward(masked, inputs)), tree_leaves(forward(smaller, inputs))
    except Exception as error:  # a network that cannot be made smaller may fail in any way
        return _("A trial removal of its channels failed: {reason}").format(reason=first_line(error))
    if [getattr(t, "shape", None) for t in wanted] != [getattr(t, "shape", None) for t in given]:
        return _("A trial removal of its channels changed the shape of the output.")
    if all(group.exact for group in groups) and not all(map(_equal, wanted, given)):
        return _("A trial removal of its channels did not give the outputs of masking them.")
    return ""


def _equal(wanted, given) -> bool:
    if not isinstance(wanted, torch.Tensor) or not wanted.is_floating_point():
        return True
    tolerance = TOLERANCE.get(wanted.dtype, HALF_PRECISION_TOLERANCE)
    scale = float(wanted.abs().nan_to_num().max()) if wanted.numel() else 0.0
    return torch.allclose(wanted, given, rtol=0, atol=tolerance * scale, equal_nan=True)
