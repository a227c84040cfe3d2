"""What flows into and out of the layers of a network over a calibration set, however that is split into batches."""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import nn

from prunekit.structure.axes import NORMALISATIONS

CHANNELS_LAST = (nn.Linear, nn.LayerNorm)


@dataclass(frozen=True)
class Activity:
    """What the channels (features, for a linear layer) before or behind one layer carried; all float32.

    size: mean |x|, square: mean x², active: the share of x > 0, each over all examples and places, shape (channels,);
    by_example: the mean x of each example over its places, shape (examples, channels), with a row for each call where a
    layer is called several times; places: the most that an example had, 1 where a number is all there is of a channel.
    """

    size: torch.Tensor
    square: torch.Tensor
    active: torch.Tensor
    by_example: torch.Tensor
    places: int


class Gathering:
    """The activity before or behind one layer while it is gathered, batch by batch."""

    def __init__(self, module: nn.Module):
        self.module = module
        self.sums: torch.Tensor | int = 0
        self.count, self.places = 0, 0
        self.rows: list[torch.Tensor] = []

    def add(self, x: torch.Tensor) -> None:
        """Counts what one call was given, or gave."""
        x = by_places(self.module, x.detach().float())
        norms = (torch.linalg.vector_norm(x, 1, dim=1), torch.linalg.vector_norm(x, 2, dim=1).square())
        # In double precision over the examples: the sums of many batches must not depend on how many there are.
        self.sums = self.sums + torch.stack([*norms, (x > 0).sum(1)]).sum(1, dtype=torch.float64)
        self.count += x.shape[0] * x.shape[1]
        self.places = max(self.places, x.shape[1])
        self.rows.append(x.mean(1))

    def whole(self) -> Activity:
        """What came of it; only for a layer that was called."""
        size, square, active = (self.sums / self.count).float()
        return Activity(size, square, active, torch.cat(self.rows), self.places)


def by_places(module: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """The input or the output of a layer as (examples, places, channels), also without a batch axis."""
    if isinstance(module, CHANNELS_LAST):
        x = x if x.dim() > 1 else x[None]
        return x.reshape(len(x), -1, x.shape[-1])
    if x.dim() == 1 + len(getattr(module, "kernel_size", ())):
        x = x[None]
    return x.flatten(2).movedim(1, -1) if x.dim() > 2 else x[:, None]


@contextlib.contextmanager
def gathered(
    model: nn.Module, layers: Iterable[str], outputs: bool
) -> Iterator[tuple[dict[str, Gathering], dict[str, Gathering]]]:
    """By layer, what is gathered before and behind it in every forward pass inside.

    layers: convolutions and linear layers; outputs: whether to look behind them and all normalisations too, otherwise
    the second is empty.
    """
    before = {name: Gathering(model.get_submodule(name)) for name in layers}
    behind = {
        name: Gathering(module)
        for name, module in model.named_modules()
        if outputs and (name in before or isinstance(module, NORMALISATIONS))
    }

    def note(one: Gathering):
        return lambda _module, args, named: one.add(args[0] if args else next(iter(named.values())))

    # A layer that is called more than once is one layer with more inputs.
    hooks = [one.module.register_forward_pre_hook(note(one), with_kwargs=True) for one in before.values()]
    hooks += [one.module.register_forward_hook(lambda _m, _x, y, one=one: one.add(y)) for one in behind.values()]
    try:
        yield before, behind
    finally:
        for hook in hooks:
            hook.remove()
