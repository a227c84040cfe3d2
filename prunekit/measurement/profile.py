"""Profile: everything that a network costs, in one value."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from prunekit.measurement.environment import environment
from prunekit.measurement.latency import Latency, of_batch_size
from prunekit.measurement.latency import latency as measure_latency
from prunekit.measurement.memory import peak_memory_bytes
from prunekit.structure.file_size import file_bytes
from prunekit.structure.inputs import example_inputs_of
from prunekit.structure.layers import count_macs


@dataclass(frozen=True)
class Profile:
    """What a network costs.

    parameters, nonzero: numbers of all and of non-zero parameters; macs: multiply-accumulates of one example
    (`count_macs`); bytes: the exact size of its safetensors file; peak_memory_bytes: of a forward pass of one example
    (`peak_memory_bytes`); latency: by batch size, None where it was not measured; environment: where it was.
    """

    parameters: int
    nonzero: int
    macs: int
    bytes: int
    peak_memory_bytes: int
    latency: Mapping[int, Latency] | None
    environment: Mapping

    def to_plain(self) -> dict:
        """The profile as JSON-able values; batch sizes become strings, as JSON has them."""
        times = self.latency and {str(batch): figures.to_plain() for batch, figures in self.latency.items()}
        return {name: getattr(self, name) for name in self.__dataclass_fields__} | {
            "latency": times,
            "environment": dict(self.environment),
        }

    @classmethod
    def from_plain(cls, plain: Mapping) -> "Profile":
        times = plain["latency"] and {int(batch): Latency(**figures) for batch, figures in plain["latency"].items()}
        return cls(**dict(plain) | {"latency": times})


def profile(
    model: nn.Module,
    example_inputs=None,
    latency: bool = True,
    batch_sizes: Sequence[int] = (1, 64),
    should_stop: Callable[[], bool] | None = None,
) -> Profile:
    """Count and measure a network, which is left as it is.

    Latency is worth something only while nothing else runs; `latency=False` leaves it out. To compare two networks
    use `compare_latency`, which takes turns. Raises CannotPrune when the network does not run on the inputs, Stopped.
    """
    inputs = example_inputs_of(model, example_inputs)
    parameters = list(model.parameters())
    times = None
    if latency:
        times = {int(n): measure_latency(model, inputs, n, should_stop=should_stop) for n in batch_sizes}
    return Profile(
        parameters=sum(p.numel() for p in parameters),
        nonzero=sum(int(torch.count_nonzero(p)) for p in parameters),
        macs=count_macs(model, inputs),
        bytes=file_bytes(model),
        peak_memory_bytes=peak_memory_bytes(model, of_batch_size(inputs, 1)),
        latency=times,
        environment=environment(),
    )
