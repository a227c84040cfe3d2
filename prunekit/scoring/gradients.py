"""Scorers that look at the gradient of the loss."""

from dataclasses import dataclass

import torch

from prunekit.core.language import N_
from prunekit.scoring.base import Scorer
from prunekit.scoring.observation import Observation
from prunekit.structure.groups import Group


@dataclass(frozen=True)
class Gradient(Scorer):
    """|∂L/∂w| of each batch, averaged; of a unit, added up over its own weights."""

    name = "gradient"
    label = N_("Gradient")
    formula = "|∂L/∂w|"
    help = N_(
        "Weights on which the loss reacts strongly matter. The size of the gradient of the loss on each batch of the "
        "calibration set, averaged; a channel adds up those of the weights that make it."
    )
    source = "Mozer & Smolensky 1989, doi:10.1080/09540098908915626"
    needs = "gradients"

    def of_weights(self, seen: Observation, name: str) -> torch.Tensor:
        return seen.gradients[name].abs()

    def of_units(self, seen: Observation, group: Group) -> torch.Tensor:
        return seen.unit_sums(group.producers, lambda name: seen.gradients[name].abs()).sum(0)


@dataclass(frozen=True)
class Taylor(Scorer):
    """|w ∂L/∂w| of each batch, averaged: to first order, how much the loss changes when the weight is zeroed.

    Of a unit, |Σ w ∂L/∂w| over the weights that read it: zeroing those is exactly removing the unit, whatever
    normalisation and activation lie between. Where nothing reads it, over the weights that make it.
    """

    name = "taylor"
    label = N_("Taylor")
    formula = "|w · ∂L/∂w|;  |Σ w · ∂L/∂w|"
    help = N_(
        "How much the loss would change if the weight or channel were gone, to first order, on each batch of the "
        "calibration set, averaged. For a channel the changes of all weights that read it are added with their signs."
    )
    source = "Molchanov et al. 2017, arXiv:1611.06440; Molchanov et al. 2019, arXiv:1906.10771"
    needs = "gradients"

    def of_weights(self, seen: Observation, name: str) -> torch.Tensor:
        return self._change(seen, name).abs()

    def of_units(self, seen: Observation, group: Group) -> torch.Tensor:
        readers = seen.weighted(group.consumers) or group.producers
        return seen.unit_sums(readers, lambda name: self._change(seen, name)).sum(0).abs()

    def _change(self, seen: Observation, name: str) -> torch.Tensor:
        return seen.weights[name] * seen.gradients[name]
