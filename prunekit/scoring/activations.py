"""Scorers that look at what flows through the network."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

from prunekit.core.language import N_
from prunekit.core.settings import setting
from prunekit.scoring.base import Coupled, reduced_by
from prunekit.scoring.disturbance import Disturbed
from prunekit.scoring.observation import Observation, per_unit, positive
from prunekit.structure.groups import Group, Member


@dataclass(frozen=True)
class Contribution(Coupled):
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

    reduction: str = reduced_by("mean")

    def of_weights(self, seen: Observation, name: str) -> torch.Tensor:
        return seen.weights[name].abs() * seen.along_inputs(name, lambda x: x.size)

    def of_members(self, seen: Observation, group: Group) -> torch.Tensor:
        return _means(seen.readers(group), lambda m: seen.into(m.layer, lambda x: x.size))


@dataclass(frozen=True)
class Wanda(Coupled):
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
        return seen.weights[name].abs() * seen.along_inputs(name, lambda x: x.square.sqrt())

    def of_members(self, seen: Observation, group: Group) -> torch.Tensor:
        return seen.unit_sums(seen.readers(group), lambda name: self.of_weights(seen, name))


@dataclass(frozen=True)
class Firing(Coupled):
    """How often a unit fires, the share of x > 0 over examples and places, in [0, 1]: 1 - APoZ.

    As the layers that read it see it. One that reads a single number of a whole map, behind a pooling, cannot tell: if
    there are no others, what the unit's own layer gives, behind its normalisation, is looked at.
    """

    name = "firing"
    label = N_("Firing rate")
    formula = "1 − APoZ = share of x > 0"
    help = N_(
        "A channel that is zero for most examples and places does little. For networks with ReLU; without it, this "
        "only tells how often a channel is positive."
    )
    source = "Hu et al. 2016, arXiv:1607.03250"
    needs = "activations"
    behind = True
    granularities = ("channel",)

    reduction: str = reduced_by("mean")

    def of_weights(self, seen: Observation, name: str) -> torch.Tensor:
        raise NotImplementedError("a single weight does not fire")

    def of_members(self, seen: Observation, group: Group) -> torch.Tensor:
        makers = [m for m in group.producers if m.layer in seen.outputs]
        maps = any(seen.outputs[m.layer].places > 1 for m in makers)
        looks = [m for m in seen.readers(group) if not (maps and _sees_one_number(seen, m))]
        if looks:
            return _means(looks, lambda m: seen.into(m.layer, lambda x: x.active))
        norms = [m for m in makers if f"{m.layer}.weight" not in seen.weights]
        return _means(norms or makers, lambda m: seen.outputs[m.layer].active)


@dataclass(frozen=True)
class Entropy(Coupled):
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

    reduction: str = reduced_by("mean")
    bins: int = setting(20, N_("Bins"), N_("Between the smallest and the largest mean of a channel."), 2, 1000, 1)

    def of_weights(self, seen: Observation, name: str) -> torch.Tensor:
        raise NotImplementedError("a single weight has no activation of its own")

    def of_members(self, seen: Observation, group: Group) -> torch.Tensor:
        # Behind a flatten, a channel's mean is that over all the places that were made one feature each.
        found = []
        for member in seen.readers(group):
            means = per_unit(seen.into(member.layer, lambda x: x.by_example.T), member).mean(1)
            found.append(self._bits(means.reshape(group.units, -1)))
        return torch.stack(found)

    def _bits(self, means: torch.Tensor) -> torch.Tensor:
        """The entropy of each row of (units, examples)."""
        least, most = means.aminmax(dim=1, keepdim=True)
        place = (means - least) / (most - least).clamp_min(torch.finfo(means.dtype).tiny)
        place = (place * self.bins).long().clamp(0, self.bins - 1)
        counts = means.new_zeros(len(means), self.bins).scatter_add_(1, place, torch.ones_like(means))
        examples = means.shape[1]
        return -torch.special.xlogy(counts, counts / examples).sum(1) / (examples * math.log(2))


@dataclass(frozen=True)
class SignalToNoise(Coupled):
    """s / (s + n), in [0, 1]: s the variance of a unit over examples and places, n the mean square of what noise on
    the network's inputs changes in it. As the layers that read it see it; rises with the ratio s / n.
    """

    name = "signal_to_noise"
    label = N_("Signal to noise")
    formula = "s / (s + n),  s = var x,  n = mean (x̃ − x)²"
    help = N_(
        "A channel that answers to a little noise on the inputs as much as to the inputs themselves says little about "
        "them. Its variance over the calibration set is the signal, what the noise changes in it the noise. A constant "
        "channel has no signal and scores 0, however steady it is. For inputs that are measures, not words."
    )
    source = "compare Blundell et al. 2015, arXiv:1505.05424, who prune weights by their signal-to-noise ratio"
    needs = "disturbances"
    granularities = ("channel",)

    reduction: str = reduced_by("mean")
    level: float = setting(
        0.1, N_("Noise"), N_("How wide the noise is, as a share of the inputs' own spread."), 0.001, 10, 0.05
    )

    def of_weights(self, seen: Observation, name: str) -> torch.Tensor:
        raise NotImplementedError("a single weight has no activation of its own")

    def of_members(self, seen: Observation, group: Group) -> torch.Tensor:
        return _means(seen.readers(group), lambda m: seen.stirred(m.layer, self._share))

    @staticmethod
    def _share(x: Disturbed) -> torch.Tensor:
        return x.signal / positive(x.signal + x.noise)


def _means(members: list[Member], channels: Callable[[Member], torch.Tensor]) -> torch.Tensor:
    """Of each layer the mean over the positions that belong to a unit, shape (layers, units)."""
    return torch.stack([per_unit(channels(m), m).mean(1) for m in members])


def _sees_one_number(seen: Observation, member: Member) -> bool:
    return member.layer in seen.inputs and seen.inputs[member.layer].places * member.positions.shape[1] == 1
