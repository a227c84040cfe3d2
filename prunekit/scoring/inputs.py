"""What flows into and out of the layers of a network over a calibration set, however that is split into batches."""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


@dataclass(frozen=True)
class Inputs:
    """What the input channels of one layer (features, for a linear one) carried; all float32.

    size: mean |x|, square: mean x², active: the share of x > 0, each over all examples and positions, shape
    (channels,), zero where the forward pass never calls the layer; by_example: the mean x of each example over its
    positions, shape (examples, channels), with a row for each call where a layer is called several times.
    """

    size: torch.Tensor
    square: torch.Tensor
    active: torch.Tensor
    by_example: torch.Tensor


class Gathering:
    """The inputs of one layer while they are gathered, batch by batch."""

    def __init__(self, module: nn.Module):
        self.module = module
        self.channels = module.in_features if isinstance(module, nn.Linear) else module.in_channels
        # In double precision: the sums of many batches must not depend on how many there are.
        self.sums = torch.zeros(3, self.channels, dtype=torch.float64, device=module.weight.device)
        self.count = 0
        self.rows = [torch.zeros(0, self.channels, device=module.weight.device)]

    def add(self, x: torch.Tensor) -> None:
        """Counts what one call was given."""
        x = self._by_positions(x.detach().float())
        flat = x.flatten(0, 1)
        parts = (flat.abs(), flat.square(), flat > 0)
        self.sums += torch.stack([part.sum(0, dtype=torch.float64) for part in parts])
        self.count += len(flat)
        self.rows.append(x.mean(1))

    def whole(self) -> Inputs:
        """What came of it."""
        size, square, active = (self.sums / max(self.count, 1)).float()
        return Inputs(size, square, active, torch.cat(self.rows))

    def _by_positions(self, x: torch.Tensor) -> torch.Tensor:
        """The input as (examples, positions, channels)."""
        if isinstance(self.module, nn.Linear):
            return x.reshape(len(x) if x.dim() > 1 else 1, -1, self.channels)
        positions = len(self.module.kernel_size)
        if x.dim() == 1 + positions:  # (C, positions...), without a batch
            x = x[None]
        return x.movedim(1, -1).reshape(len(x), -1, self.channels)


class Firing:
    """How often each output channel of a convolution, a linear layer or a batch norm is above zero, batch by batch."""

    def __init__(self, module: nn.Module):
        self.module = module
        self.sums, self.count = 0, 0

    def add(self, y: torch.Tensor) -> None:
        """Counts what one call gave."""
        channels = -1 if isinstance(self.module, nn.Linear) else 1 if y.dim() > 1 else 0
        flat = (y.detach() > 0).movedim(channels, -1).flatten(0, -2)
        self.sums, self.count = self.sums + flat.sum(0), self.count + len(flat)

    def whole(self) -> torch.Tensor | None:
        """The share, shape (channels,), float32; None where the layer was never called."""
        return (self.sums / self.count).float() if self.count else None


@contextlib.contextmanager
def gathered(model: nn.Module, layers: Iterable[str]) -> Iterator[tuple[dict[str, Gathering], dict[str, Firing]]]:
    """By layer, what is gathered of every forward pass inside: what flows in, and how often the outputs fire.

    layers: convolutions and linear layers; the outputs are those of the batch norms too.
    """
    into = {name: Gathering(model.get_submodule(name)) for name in layers}
    out = {name: Firing(m) for name, m in model.named_modules() if name in into or isinstance(m, _BatchNorm)}
    # A layer that is called more than once is one layer with more inputs.
    hooks = [one.module.register_forward_pre_hook(lambda _m, x, one=one: one.add(x[0])) for one in into.values()]
    hooks += [one.module.register_forward_hook(lambda _m, _x, y, one=one: one.add(y)) for one in out.values()]
    try:
        yield into, out
    finally:
        for hook in hooks:
            hook.remove()
