"""Scorers that look at how weights moved in a training."""

from dataclasses import dataclass

import torch

from prunekit.core.language import N_
from prunekit.scoring.base import AddedUp
from prunekit.scoring.observation import Observation


@dataclass(frozen=True)
class Movement(AddedUp):
    """-Σ w ∂L/∂w over the steps of the training before the cut; of a unit, added up over its own weights."""

    name = "movement"
    label = N_("Movement")
    formula = "−Σₜ wₜ · ∂L/∂wₜ"
    help = N_(
        "Keeps what the training pulls away from zero, however small it still is, and prunes what it pulls towards "
        "zero, however large. Made for networks that learn something new from what they knew. Only a run has an "
        "answer: some of its epochs come before the first cut."
    )
    source = "Sanh et al. 2020, arXiv:2005.07683"
    needs = "history"
    signed = True

    def of_weights(self, seen: Observation, name: str) -> torch.Tensor:
        return seen.moved("pull", name)


@dataclass(frozen=True)
class MagnitudeIncrease(AddedUp):
    """|w| less |w| before the training that came before the cut; of a unit, added up over its own weights."""

    name = "magnitude_increase"
    label = N_("Magnitude increase")
    formula = "|w| − |w₀|"
    help = N_(
        "Keeps the weights that have grown in the training before the cut, and prunes those that have shrunk. Only a "
        "run has an answer: some of its epochs come before the first cut."
    )
    source = "Zhou et al. 2019, arXiv:1905.01067"
    needs = "history"
    signed = True

    def of_weights(self, seen: Observation, name: str) -> torch.Tensor:
        return seen.weights[name].abs() - seen.moved("start", name).abs()
