"""Scorers that look at what flows through the network."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

from prunekit.core.errors import CannotScore
from prunekit.core.language import N_, _
from prunekit.core.settings import setting
from prunekit.scoring.base import Scorer
from prunekit.scoring.inputs import Inputs
from prunekit.scoring.observation import Observation, per_unit
from prunekit.structure.groups import Group, Member


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
        return seen.weights[name].abs() * seen.along_inputs(name, lambda inputs: inputs.size)

    def of_units(self, seen: Observation, group: Group) -> torch.Tensor:
        return as_read(seen, group, lambda inputs: inputs.size)


@dataclass(frozen=True)
class Wanda(Scorer):
    """|w_ij| times the root of the mean x_j² of its input; of a unit, those of all weights that read it, added up."""

    name = "wanda"
    label = "Wanda"
    formula = "|wᵢⱼ| · √mean xⱼ²"
    help = N_(
        "A weight matters as much as it can pass on: its size times the norm of what it reads on the calibration set. "
        "A channel counts as much as all weights that read it. The authors compare the weights of one output with "
        "each other; across layers the scores compare less well."
    )
    source = "Sun et al. 2024, arXiv:2306.11695"
    needs = "activations"

    def of_weights(self, seen: Observation, name: str) -> torch.Tensor:
        return seen.weights[name].abs() * seen.along_inputs(name, lambda inputs: inputs.square.sqrt())

    def of_units(self, seen: Observation, group: Group) -> torch.Tensor:
        return seen.unit_sums(readers(seen, group), lambda name: self.of_weights(seen, name)).sum(0)


@dataclass(frozen=True)
class Activity(Scorer):
    """How often a unit fires, the share of x > 0 over examples and places, in [0, 1]: 1 - APoZ.

    As the layers that read it see it. One that reads a single number of a whole map, behind a pooling, cannot tell: if
    there are no others, what the unit's own layer gives, behind its batch norm, is looked at.
    """

    name = "activity"
    label = N_("Activity")
    formula = "1 − APoZ = share of x > 0"
    help = N_(
        "A channel that is zero for most examples and places does little. For networks with ReLU; without it, this "
        "only tells how often a channel is positive."
    )
    source = "Hu et al. 2016, arXiv:1607.03250"
    needs = "activations"
    granularities = ("channel",)

    def of_weights(self, seen: Observation, name: str) -> torch.Tensor:
        raise NotImplementedError("a single weight does not fire")

    def of_units(self, seen: Observation, group: Group) -> torch.Tensor:
        makes_maps = any(seen.weights[f"{m.layer}.weight"].dim() > 2 for m in seen.weighted(group.producers))
        shares = [
            per_unit(seen.inputs[m.layer].active, m).mean(1)
            for m in readers(seen, group)
            if not (makes_maps and seen.weights[f"{m.layer}.weight"].dim() == 2 and m.positions.shape[1] == 1)
        ]
        if not shares:
            makers = [m for m in group.producers if m.layer in seen.firing]
            norms = [m for m in makers if f"{m.layer}.weight" not in seen.weights]
            shares = [per_unit(seen.firing[m.layer], m).mean(1) for m in norms or makers]
        if not shares:
            raise CannotScore(_("The calibration set never reaches the channels of {layer}.").format(layer=group.name))
        return torch.stack(shares).mean(0)


@dataclass(frozen=True)
class Entropy(Scorer):
    """The entropy, in bits, of a unit's mean activation over the examples, told in bins between its least and most."""

    name = "entropy"
    label = N_("Entropy")
    formula = "−Σ p log₂ p"
    help = N_(
        "A channel that says nearly the same of every example tells them apart badly. Its mean over each example is "
        "sorted into bins, and the entropy of their shares is the score; a constant channel scores 0."
    )
    source = "Luo & Wu 2017, arXiv:1706.05791"
    needs = "activations"
    granularities = ("channel",)

    bins: int = setting(20, N_("Bins"), N_("Between the smallest and the largest mean of a channel."), 2, 1000, 1)

    def of_weights(self, seen: Observation, name: str) -> torch.Tensor:
        raise NotImplementedError("a single weight has no activation of its own")

    def of_units(self, seen: Observation, group: Group) -> torch.Tensor:
        return as_read(seen, group, lambda inputs: self._bits(inputs.by_example))

    def _bits(self, means: torch.Tensor) -> torch.Tensor:
        """The entropy of each column of (examples, channels)."""
        if not len(means):  # a layer that is never called
            return means.new_zeros(means.shape[1])
        least, most = means.aminmax(dim=0)
        place = (means - least) / (most - least).clamp_min(torch.finfo(means.dtype).tiny)
        place = (place * self.bins).long().clamp(0, self.bins - 1)
        counts = means.new_zeros(self.bins, means.shape[1]).scatter_add_(0, place, torch.ones_like(means))
        return -torch.special.xlogy(counts, counts / len(means)).sum(0) / (len(means) * math.log(2))


def as_read(seen: Observation, group: Group, value: Callable[[Inputs], torch.Tensor]) -> torch.Tensor:
    """A quantity of a group's channels as the layers that read them see it: the mean over positions and readers.

    value: gives of a layer's inputs a number for each channel. Raises CannotScore where nothing reads the channels.
    """
    return torch.stack([per_unit(value(seen.inputs[m.layer]), m).mean(1) for m in readers(seen, group)]).mean(0)


def readers(seen: Observation, group: Group) -> list[Member]:
    """The layers that read a group's channels. Raises CannotScore where there are none."""
    found = seen.weighted(group.consumers)
    if not found:
        raise CannotScore(_("No layer reads the channels of {layer}.").format(layer=group.name))
    return found
