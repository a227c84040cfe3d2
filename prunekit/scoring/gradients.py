"""Scorers that look at the gradient of the loss."""

from dataclasses import dataclass

import torch

from prunekit.core.language import N_
from prunekit.core.settings import setting
from prunekit.scoring.base import AddedUp, Coupled
from prunekit.scoring.observation import Observation
from prunekit.structure.groups import Group
from prunekit.structure.parts import Parts


@dataclass(frozen=True)
class Gradient(AddedUp):
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


@dataclass(frozen=True)
class Combined(AddedUp):
    """|w| + λ |∂L/∂w|, the gradient of each batch, averaged; of a unit, added up over its own weights."""

    name = "combined"
    label = N_("Magnitude + gradient")
    formula = "|w| + λ · |∂L/∂w|"
    help = N_(
        "A weight is worth keeping if it is large, or if the loss pulls at it: small, but about to change. The score "
        "of methods that prune while they train. At λ = 0 it is magnitude; gradients are mostly far smaller than "
        "weights, so it takes a large λ to turn the order."
    )
    source = "compare Guo et al. 2016, arXiv:1608.04493; Evci et al. 2020, arXiv:1911.11134"
    needs = "gradients"

    strength: float = setting(1.0, "λ", N_("How much the gradient counts beside the size of the weight."), 0, 1e6, 1)

    def of_weights(self, seen: Observation, name: str) -> torch.Tensor:
        return seen.weights[name].abs() + self.strength * seen.gradients[name].abs()


@dataclass(frozen=True)
class Taylor(Coupled):
    """|w ∂L/∂w| of each batch, averaged: to first order, how much the loss changes when the weight is zeroed.

    Of a unit, |Σ w ∂L/∂w| over the weights that read it: zeroing those is exactly removing the unit, whatever
    normalisation and activation lie between. Where nothing reads it, over the weights that make it.
    """

    name = "taylor"
    label = N_("Taylor")
    formula = "|w · ∂L/∂w|;  |Σ w · ∂L/∂w|"
    help = N_(
        "How much the loss would change if the weight or channel were gone, to first order, on each batch of the "
        "calibration set, averaged. For a channel the changes of all weights that read it are added with their signs, "
        "for a kernel, row or tile those of its own."
    )
    source = "Molchanov et al. 2017, arXiv:1611.06440; Molchanov et al. 2019, arXiv:1906.10771"
    needs = "gradients"

    def of_weights(self, seen: Observation, name: str) -> torch.Tensor:
        return change(seen, name).abs()

    def of_parts(self, seen: Observation, name: str, parts: Parts) -> torch.Tensor:
        return parts.gathered(change(seen, name)).sum(-1).abs()

    def of_members(self, seen: Observation, group: Group) -> torch.Tensor:
        return unit_changes(seen, group)

    def finished(self, members: torch.Tensor) -> torch.Tensor:
        return members.abs()


@dataclass(frozen=True)
class Snip(Taylor):
    """Taylor on the gradient of the whole calibration set: |w ∂L/∂w| where Taylor averages the sizes of batches."""

    name = "snip"
    label = "SNIP"
    formula = "|w · mean ∂L/∂w|;  |Σ w · mean ∂L/∂w|"
    help = N_(
        "How much the loss on the whole calibration set would change if the weight or channel were gone, to first "
        "order: what some examples lose and others gain cancels out. Meant for networks that are not trained yet; at "
        "the end of a training little is left of the mean gradient."
    )
    source = "Lee et al. 2019, arXiv:1810.02340"
    each = "set"


@dataclass(frozen=True)
class Fisher(Coupled):
    """½ h w², with the mean squared gradient of single examples for the curvature h (the empirical Fisher information).

    Of a unit, ½ (Σ w ∂L/∂w)² of each example over the weights that read it, averaged: as if one gate were before it.
    """

    name = "fisher"
    label = N_("Fisher")
    formula = "½ h w²,  h = mean (∂L/∂w)²;  ½ mean (Σ w · ∂L/∂w)²"
    help = N_(
        "How much the loss would change if the weight or channel were gone, to second order, as Optimal Brain Damage "
        "asks; the curvature is taken from the squared gradients of single examples. It looks at one example after "
        "the other, so it takes longer."
    )
    source = "LeCun et al. 1989, Optimal Brain Damage; Theis et al. 2018, arXiv:1801.05787"
    needs = "gradients"
    each = "example"

    def of_weights(self, seen: Observation, name: str) -> torch.Tensor:
        return change(seen, name).square() / 2

    def of_parts(self, seen: Observation, name: str, parts: Parts) -> torch.Tensor:
        return parts.gathered(change(seen, name)).sum(-1).square() / 2

    def of_members(self, seen: Observation, group: Group) -> torch.Tensor:
        return unit_changes(seen, group)

    def finished(self, members: torch.Tensor) -> torch.Tensor:
        return members.square() / 2


@dataclass(frozen=True)
class Grasp(Coupled):
    """w · H ∂L/∂w on the whole calibration set, H the Hessian of the loss: half of what the squared norm of the
    gradient loses, to first order, when the weight is zeroed. Of a unit, added up over the weights that read it.

    Below zero where the gradient would grow. The authors' temperature for the logits is left out.
    """

    name = "grasp"
    label = "GraSP"
    formula = "w · H ∂L/∂w"
    help = N_(
        "Keeps what keeps the gradient flowing, so that the pruned network learns fast: a weight or channel matters as "
        "much as the gradient would lose with it, and scores below zero where it would grow. Meant for networks that "
        "are not trained yet; at the end of a training there is little gradient to keep."
    )
    source = "Wang et al. 2020, arXiv:2002.07376"
    needs = "gradients"
    each = "set"
    curved = True
    signed = True

    def of_weights(self, seen: Observation, name: str) -> torch.Tensor:
        return seen.weights[name] * seen.curved[name]

    def of_members(self, seen: Observation, group: Group) -> torch.Tensor:
        return seen.unit_sums(seen.readers_or_makers(group), lambda name: self.of_weights(seen, name))


@dataclass(frozen=True)
class OutputGradient(AddedUp):
    """‖∂M/∂w‖², over all outputs M of an example, averaged over the examples; of a unit, added up over its own weights.

    Estimated from one random combination of the outputs of each example.
    """

    name = "output_gradient"
    label = N_("Output gradient")
    formula = "mean ‖∂M/∂w‖²"
    help = N_(
        "Weights that move the outputs of the network matter, whether or not the answer is right: no label is looked "
        "at. It looks at one example after the other, so it takes longer."
    )
    source = "compare Aljundi et al. 2018, arXiv:1711.09601"
    needs = "gradients"
    of = "output"
    each = "example"

    def of_weights(self, seen: Observation, name: str) -> torch.Tensor:
        return seen.gradients[name].square()


def change(seen: Observation, name: str) -> torch.Tensor:
    """w ∂L/∂w: less that much, to first order, is the loss without each weight."""
    return seen.weights[name] * seen.gradients[name]


def unit_changes(seen: Observation, group: Group) -> torch.Tensor:
    """The changes of all weights that read a unit, added up for each layer, shape (layers, units); of those that make
    it, where nothing reads it.
    """
    return seen.unit_sums(seen.readers_or_makers(group), lambda name: change(seen, name))
