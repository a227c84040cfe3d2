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
    `formula`, `help`, `source` (the paper), `granularities` (which of "weight" and "channel" it has an answer for) and
    `needs`, what an observation has to hold:

    - "weights": nothing else, and no data.
    - "gradients": of the weights. `of` says of what (the "loss", or the "output", see `running.drawn_sum`), `each` what
      one observation is made on (a "batch", an "example" or the whole "set"), `curved` whether the Hessian times the
      gradient is needed too (only of the loss on the set).
    - "activations": what flows into the layers. `behind` says whether what they give is needed too.
    - "disturbances": what noise on the inputs changes in what flows into the layers; its knob `level` says how much.
    - "errors": what comes back to the layers from the losses.
    - "losses": a way to ask for the loss with other weights; its knob `examples` says on how many.

    Both rules see one observation at a time: gradients as `each` says, all else of the whole calibration set. The
    scores of several observations are averaged with the number of their examples as weight. They change nothing. A
    score below zero is one whose absence is expected to help.
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
    granularities: ClassVar[tuple[str, ...]] = tuple(GRANULARITIES)

    def __post_init__(self):
        check(self)

    @abstractmethod
    def of_weights(self, seen: Observation, name: str) -> torch.Tensor:
        """The scores of one weight tensor, of its shape."""

    @abstractmethod
    def of_units(self, seen: Observation, group: Group) -> torch.Tensor:
        """The scores of one group's units, shape (units,)."""
