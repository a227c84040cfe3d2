"""What every scorer is: a name, a few words, and the rules from an observation to scores."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch

from prunekit.core.cuts import GRANULARITIES, ZEROED
from prunekit.core.language import N_
from prunekit.core.settings import check, setting
from prunekit.scoring.observation import Observation, positive
from prunekit.structure.groups import Group
from prunekit.structure.parts import Parts

NEEDS = ("weights", "gradients", "activations", "disturbances", "errors", "losses", "history")
REDUCTIONS = (N_("sum"), N_("mean"), N_("max"))


@dataclass(frozen=True)
class Scorer(ABC):
    """Importance as a number: higher matters more. A scorer is one subclass and one line in catalogue.py.

    Fields are its knobs, described by `core.settings.setting`. Class attributes say the rest: `name`, `label`,
    `formula`, `help`, `source` (the paper), `granularities` (which of "weight" and "channel" it has an answer for; see
    `answers`) and `needs`, what an observation has to hold:

    - "weights": nothing else, and no data.
    - "gradients": of the weights. `of` says of what (the "loss", or the "output", see `running.drawn_sum`), `each` what
      one observation is made on (a "batch", an "example" or the whole "set"), `curved` whether the Hessian times the
      gradient is needed too (only of the loss on the set).
    - "activations": what flows into the layers. `behind` says whether what they give is needed too.
    - "disturbances": what noise on the inputs changes in what flows into the layers; its knob `level` says how much.
    - "errors": what comes back to the layers from the losses.
    - "losses": a way to ask for the loss with other weights; its knob `examples` says on how many.
    - "history": how the weights moved in the training before. Only a run has one.

    The rules see one observation at a time: gradients as `each` says, all else of the whole calibration set. The
    scores of several observations are averaged with the number of their examples as weight. They change nothing. A
    score below zero is one whose absence is expected to help: `signed` scorers give some.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    formula: ClassVar[str]
    help: ClassVar[str]
    source: ClassVar[str]
    needs: ClassVar[str] = "weights"
    of: ClassVar[str] = "loss"
    each: ClassVar[str] = "batch"
    curved: ClassVar[bool] = False
    behind: ClassVar[bool] = False
    signed: ClassVar[bool] = False
    granularities: ClassVar[tuple[str, ...]] = ("weight", "channel")

    def __post_init__(self):
        check(self)

    @classmethod
    def answers(cls) -> tuple[str, ...]:
        """The granularities that it has an answer for: who scores single weights also scores what is made of them."""
        return tuple(g for g in GRANULARITIES if ("weight" if g in ZEROED else g) in cls.granularities)

    @abstractmethod
    def of_weights(self, seen: Observation, name: str) -> torch.Tensor:
        """The scores of one weight tensor, of its shape."""

    def of_parts(self, seen: Observation, name: str, parts: Parts) -> torch.Tensor:
        """The scores of the kernels, rows or tiles of one weight tensor, of the shape of the parts: by default what
        their weights score together.
        """
        return parts.gathered(self.of_weights(seen, name)).sum(-1)

    @abstractmethod
    def of_units(self, seen: Observation, group: Group) -> torch.Tensor:
        """The scores of one group's units, shape (units,)."""

    def normalised(self, scores: torch.Tensor) -> torch.Tensor:
        """What becomes of the scores of one group's units, once they are averaged over all observations."""
        return scores


def reduced_by(default: str):
    """The field of a coupled scorer that says how the rows of its `of_members` become one, with its own default."""
    words = N_("What becomes of the scores that several coupled layers give the same channel.")
    given = REDUCTIONS
    return setting(default, N_("Coupled layers"), words, choices=given, labels=given, later=True, only=("channel",))


@dataclass(frozen=True)
class Coupled(Scorer):
    """A scorer that asks each of a group's layers by itself: channels may be made by several layers (whose outputs are
    added up) and read by several.

    The knobs are those of DepGraph (Fang et al. 2023, arXiv:2301.12900): how the layers' answers become one score, and
    by what the scores of a group are divided before groups are compared.
    """

    reduction: str = reduced_by("sum")
    normalisation: str = setting(
        "none",
        N_("Against other layers"),
        N_("The scores of each layer, or group of coupled layers, divided by their mean or their largest."),
        choices=("none", "mean", "max"),
        labels=(N_("as they are"), N_("÷ mean"), N_("÷ max")),
        later=True,
        only=("channel",),
    )

    @abstractmethod
    def of_members(self, seen: Observation, group: Group) -> torch.Tensor:
        """What each layer of a group that the scorer looks at says of the units, shape (layers, units)."""

    def finished(self, members: torch.Tensor) -> torch.Tensor:
        """Scores from what layers say, of the same shape (..., units); applied to their sum or mean, for what they say
        may have signs that cancel out.
        """
        return members

    def of_units(self, seen: Observation, group: Group) -> torch.Tensor:
        members = self.of_members(seen, group)
        if self.reduction == "max":
            return self.finished(members).amax(0)
        return self.finished(members.sum(0) if self.reduction == "sum" else members.mean(0))

    def normalised(self, scores: torch.Tensor) -> torch.Tensor:
        if self.normalisation == "none":
            return scores
        sizes = scores.abs()
        return scores / positive(sizes.mean() if self.normalisation == "mean" else sizes.max())


class AddedUp(Coupled):
    """A coupled scorer of which each layer that makes a unit says what the weights that make it score together."""

    def of_members(self, seen: Observation, group: Group) -> torch.Tensor:
        return seen.unit_sums(group.producers, lambda name: self.of_weights(seen, name))
