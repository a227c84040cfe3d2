"""Where an interrupted run goes on: the round, what is left, and the state of its training."""

from dataclasses import dataclass

import numpy as np
import torch

from prunekit.core.errors import CorruptFile
from prunekit.core.language import _
from prunekit.core.packing import pack, unpack
from prunekit.training.checkpoint import from_bytes, to_bytes


@dataclass(frozen=True)
class Checkpoint:
    """`round` counts from 0; `kept` is what the remains of the model are built from; `training` goes to the loop.

    figures: what was measured in earlier rounds and is reported at the end; seconds: time spent so far; threads: those
    that torch computed with, 0 where that is not known: sums in another order end in other last bits.
    """

    round: int
    kept: dict[str, torch.Tensor]
    training: dict
    figures: dict
    seconds: float
    threads: int = 0

    def to_bytes(self) -> bytes:
        plain = {
            "round": self.round,
            "kept": {name: tensor.numpy() for name, tensor in self.kept.items()},
            "training": np.frombuffer(to_bytes(self.training), dtype=np.uint8),
            "figures": self.figures,
            "seconds": self.seconds,
            "threads": self.threads,
        }
        return pack(plain)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Checkpoint":
        """Raises CorruptFile for anything that `to_bytes` did not write."""
        try:
            plain = unpack(data)
            kept = {name: torch.from_numpy(array) for name, array in plain["kept"].items()}
            return cls(**plain | {"kept": kept, "training": from_bytes(plain["training"].tobytes())})
        except (CorruptFile, AttributeError, KeyError, TypeError) as error:
            sentence = _("The checkpoint of this run cannot be read; start the run afresh, from its recipe.")
            raise CorruptFile(sentence) from error
