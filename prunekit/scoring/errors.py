"""Scorers that look at what comes back to the units from the loss."""

from dataclasses import dataclass

import torch

from prunekit.core.language import N_
from prunekit.core.settings import setting
from prunekit.scoring.base import Coupled, reduced_by
from prunekit.scoring.observation import Observation, per_unit, positive, shares
from prunekit.structure.groups import Group, Member


@dataclass(frozen=True)
class ErrorTerm(Coupled):
    """|δᵢ| / Σⱼ |δⱼ|: the error term of a unit, ∂L/∂a of its activation a before the nonlinearity, as a share of its
    layer's, added up over the layers that make it. In size on average over the examples, or by its variance.

    Of a channel, the error terms of all places together. Behind the normalisation that follows a layer directly, where
    there is one.
    """

    name = "error_term"
    label = N_("Error term")
    formula = "|δᵢ| / Σⱼ |δⱼ|,  δ = ∂L/∂a"
    help = N_(
        "How much of the error that comes back to a layer arrives at this channel: where none does, the loss does not "
        "mind what the channel says. Taken for each example of the calibration set by itself, as average size or as "
        "variance. A channel that never fires has none, and one that does much right can have little."
    )
    source = "the error term of back-propagation: Rumelhart et al. 1986, doi:10.1038/323533a0"
    needs = "errors"
    granularities = ("channel",)

    measure: str = setting(
        "size",
        N_("Measured by"),
        N_("The mean absolute error term of the examples, or how much it varies between them."),
        choices=("size", "variance"),
        labels=(N_("Size"), N_("Variance")),
    )

    def of_weights(self, seen: Observation, name: str) -> torch.Tensor:
        raise NotImplementedError("a single weight has no error term of its own")

    def of_members(self, seen: Observation, group: Group) -> torch.Tensor:
        return shares(torch.stack([self._sums(seen, member) for member in _makers(seen, group)]))

    def _sums(self, seen: Observation, member: Member) -> torch.Tensor:
        # Added up before the size is taken: the unit's error is that of all positions it has along the axis.
        errors = per_unit(seen.behind(member.layer, lambda back: back.error.T), member).sum(1)
        errors = errors.reshape(len(member.positions), -1)
        return errors.abs().mean(1) if self.measure == "size" else errors.var(1, correction=0)


@dataclass(frozen=True)
class WeightedContribution(Coupled):
    """Σⱼ |wⱼ| fⱼ / Σⱼ |wⱼ| over the units j that read a unit, fⱼ what j contributes to the task: the mean over the
    examples of |y ∂L/∂y| of what it gives, by how much the loss would change, to first order, if that were zero.
    """

    name = "contribution_weighted"
    label = N_("Weighted contribution")
    formula = "Σⱼ |wⱼ| fⱼ / Σⱼ |wⱼ|,  f = mean |y · ∂L/∂y|"
    help = N_(
        "A channel matters as much as the units that listen to it contribute to the task, each counted by the weight "
        "with which it listens. The weights are taken without their signs: with them, large ones could add up to "
        "nothing, and to divide by that would say anything. What the channel itself carries is not looked at."
    )
    source = "compare Yu et al. 2018 (NISP), arXiv:1711.05908; Molchanov et al. 2017, arXiv:1611.06440, for f"
    needs = "errors"
    granularities = ("channel",)

    reduction: str = reduced_by("mean")

    def of_weights(self, seen: Observation, name: str) -> torch.Tensor:
        raise NotImplementedError("a single weight has one reader, and no mean over several")

    def of_members(self, seen: Observation, group: Group) -> torch.Tensor:
        members = seen.readers(group)
        weighted = seen.unit_sums(members, lambda name: seen.weights[name].abs() * self._contributions(seen, name))
        return weighted / positive(seen.unit_sums(members, lambda name: seen.weights[name].abs()))

    def _contributions(self, seen: Observation, name: str) -> torch.Tensor:
        return seen.along_outputs(name, lambda back: back.change.abs().mean(0))


def _makers(seen: Observation, group: Group) -> list[Member]:
    """The members whose outputs are a group's channels: its layers, and where a normalisation takes what one of them
    gives, that in its place. Raises CannotScore for a layer whose weights are used without it.
    """

    def last(layer: Member) -> Member:
        seen.behind(layer.layer, lambda back: back.error)
        norms = (m for m in group.producers if m.layer in seen.back and seen.back[m.layer].behind == layer.layer)
        return next(norms, layer)

    return [last(layer) for layer in seen.weighted(group.producers)]
