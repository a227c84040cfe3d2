"""Scorers that look at what flows through the network."""

from dataclasses import dataclass

import torch

from prunekit.core.errors import CannotScore
from prunekit.core.language import N_, _
from prunekit.scoring.base import Scorer
from prunekit.scoring.observation import Observation, per_unit
from prunekit.structure.groups import Group


@dataclass(frozen=True)
class Contribution(Scorer):
    """Mean |x| of a unit as the layers that read it see it; of a weight, |w_ij| times the mean |x_j| of its input."""

    name = "contribution"
    label = N_("Contribution")
    formula = "|wᵢⱼ| · mean |xⱼ|;  mean |x|"
    help = N_(
        "What is always near zero adds little. A channel counts as much as its mean absolute activation on the "
        "calibration set, as the next layer sees it; a weight as much as it passes on, on average."
    )
    source = "Hu et al. 2016, arXiv:1607.03250; Sun et al. 2024, arXiv:2306.11695"
    needs = "activations"

    def of_weights(self, seen: Observation, name: str) -> torch.Tensor:
        weight, layer = seen.weights[name].abs(), seen.layers[name]
        module, x = seen.model.get_submodule(layer), seen.inputs[layer]
        blocks = getattr(module, "groups", 1)
        if getattr(module, "transposed", False):  # (in, out/groups, ...)
            return weight * x.reshape(-1, *[1] * (weight.dim() - 1))
        # (out, in/groups, ...): each block of outputs reads a block of inputs of its own.
        x = x.reshape(blocks, 1, -1, *[1] * (weight.dim() - 2))
        return (weight.reshape(blocks, -1, *weight.shape[1:]) * x).reshape(weight.shape)

    def of_units(self, seen: Observation, group: Group) -> torch.Tensor:
        readers = seen.weighted(group.consumers)
        if not readers:
            raise CannotScore(_("No layer reads the channels of {layer}.").format(layer=group.name))
        return torch.stack([per_unit(seen.inputs[m.layer], m).mean(1) for m in readers]).mean(0)
