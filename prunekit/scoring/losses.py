"""The scorer that really tries: slow, exact, and what all others estimate."""

from dataclasses import dataclass

import torch

from prunekit.core.language import N_
from prunekit.core.settings import setting
from prunekit.scoring.base import Scorer
from prunekit.scoring.observation import Observation
from prunekit.structure.groups import Group


@dataclass(frozen=True)
class MeasuredLoss(Scorer):
    """L without the unit less L with it, on examples of the calibration set, everything else left alone. Below zero
    where the network does better without.
    """

    name = "measured_loss"
    label = N_("Measured loss")
    formula = "L(a = 0) − L"
    help = N_(
        "Takes each channel away by itself and reads the loss: what other criteria estimate, measured. It runs the "
        "network once for each channel, so it takes long. Two channels that stand in for each other both seem "
        "needless: it says nothing of taking both."
    )
    source = (
        "Mozer & Smolensky 1989, doi:10.1080/09540098908915626; “oracle” in Molchanov et al. 2017, arXiv:1611.06440"
    )
    needs = "losses"
    signed = True
    granularities = ("channel",)

    examples: int = setting(
        128, N_("Examples"), N_("Of the calibration set, on which the loss is read for each channel."), 16, 100_000, 16
    )

    def of_weights(self, seen: Observation, name: str) -> torch.Tensor:
        raise NotImplementedError("single weights are too many to try each of them")

    def of_units(self, seen: Observation, group: Group) -> torch.Tensor:
        whole = seen.whole_loss
        without = [seen.loss(seen.without(group, unit)) for unit in range(group.units)]
        return torch.tensor([loss - whole for loss in without], dtype=torch.float32)
