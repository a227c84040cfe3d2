"""What flows into the layers of a network over a whole calibration set, however that is split into batches."""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Inputs:
    """What the input channels of one layer (features, for a linear one) carried; all float32.

    size: mean |x|, square: mean x², each over all examples and positions, shape (channels,), zero where the forward
    pass never calls the layer; by_example: the mean x of each example over its positions, shape (examples, channels),
    with a row for each call where a layer is called several times.
    """

    size: torch.Tensor
    square: torch.Tensor
    by_example: torch.Tensor


class Gathering:
    """The inputs of one layer while they are gathered, batch by batch."""

    def __init__(self, module: nn.Module):
        self.module = module
        self.channels = module.in_features if isinstance(module, nn.Linear) else module.in_channels
        # In double precision: the sums of many batches must not depend on how many there are.
        self.sums = torch.zeros(2, self.channels, dtype=torch.float64, device=module.weight.device)
        self.count = 0
        self.rows = [torch.zeros(0, self.channels, device=module.weight.device)]

    def add(self, x: torch.Tensor) -> None:
        """Counts what one call was given."""
        x = self._by_positions(x.detach().float())
        flat = x.flatten(0, 1)
        self.sums += torch.stack([part.sum(0, dtype=torch.float64) for part in (flat.abs(), flat.square())])
        self.count += len(flat)
        self.rows.append(x.mean(1))

    def whole(self) -> Inputs:
        """What came of it."""
        size, square = (self.sums / max(self.count, 1)).float()
        return Inputs(size, square, torch.cat(self.rows))

    def _by_positions(self, x: torch.Tensor) -> torch.Tensor:
        """The input as (examples, positions, channels)."""
        if isinstance(self.module, nn.Linear):
            return x.reshape(len(x) if x.dim() > 1 else 1, -1, self.channels)
        positions = len(self.module.kernel_size)
        if x.dim() == 1 + positions:  # (C, positions...), without a batch
            x = x[None]
        return x.movedim(1, -1).reshape(len(x), -1, self.channels)


@contextlib.contextmanager
def gathered(model: nn.Module, layers: Iterable[str]) -> Iterator[dict[str, Gathering]]:
    """By layer, what is gathered of every forward pass inside."""
    found = {name: Gathering(model.get_submodule(name)) for name in layers}
    # A layer that is called more than once is one layer with more inputs.
    hooks = [one.module.register_forward_pre_hook(lambda _m, args, one=one: one.add(args[0])) for one in found.values()]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()
