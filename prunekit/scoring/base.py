"""What every scorer is: a name, a few words, and two rules from an observation to scores."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch

from prunekit.core.cuts import GRANULARITIES
from prunekit.core.settings import check
from prunekit.scoring.observation import Observation
from prunekit.structure.groups import Group


@dataclass(frozen=True)
class Scorer(ABC):
    """Importance as a number: higher matters more. A scorer is one subclass and one line in catalogue.py.

    Fields are its knobs, described by `core.settings.setting`. Class attributes say the rest: `name`, `label`,
    `formula`, `help`, `source` (the paper), `needs` ("weights", "gradients" or "activations": what an observation has
    to hold) and `granularities` (which of "weight" and "channel" it has an answer for). Of gradients: `of` (what they
    are of: the "loss", or the "output", see `observing._drawn_sum`) and `each` (what one observation is made on: a
    "batch", an "example" or the whole "set"). Of activations: `behind` (whether those behind the layers are needed
    too).

    Both rules see one observation at a time: the network alone when it needs no data, all that flows through it on the
    calibration set when it needs activations, and gradients as `each` says when it needs those: the scores of several
    observations are averaged with the number of their examples as weight. They change nothing.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    formula: ClassVar[str]
    help: ClassVar[str]
    source: ClassVar[str]
    needs: ClassVar[str] = "weights"
    of: ClassVar[str] = "loss"
    each: ClassVar[str] = "batch"
    behind: ClassVar[bool] = False
    granularities: ClassVar[tuple[str, ...]] = tuple(GRANULARITIES)

    def __post_init__(self):
        check(self)

    @abstractmethod
    def of_weights(self, seen: Observation, name: str) -> torch.Tensor:
        """The scores of one weight tensor, of its shape."""

    @abstractmethod
    def of_units(self, seen: Observation, group: Group) -> torch.Tensor:
        """The scores of one group's units, shape (units,)."""
