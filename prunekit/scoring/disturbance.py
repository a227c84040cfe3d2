"""What a little noise on the inputs of a network does to what its layers read."""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils._pytree import tree_leaves, tree_map

from prunekit.core.errors import CannotScore
from prunekit.core.language import _
from prunekit.scoring.activity import by_places
from prunekit.scoring.running import run

# Of the mean square of a channel: less variance than that is the rounding of a constant.
ROUNDING = 1e-10


@dataclass(frozen=True)
class Disturbed:
    """What the input channels of one layer do, float32, shape (channels,), over all examples and places.

    signal: their variance on the undisturbed inputs, zero for a constant channel; noise: the mean square of what the
    disturbance changes.
    """

    signal: torch.Tensor
    noise: torch.Tensor


def answers_to_disturbance(
    model: nn.Module, layers: Iterable[str], batches: list, level: float, seed: int
) -> dict[str, Disturbed]:
    """By layer that is called. Gaussian noise is added to the inputs, `level` times as wide as they are themselves.

    model: in eval mode; batches: inputs. Raises CannotScore where the inputs are no measures, as numbers of words.
    """
    widths = _widths(batches)
    draw = torch.Generator().manual_seed(seed)
    with _reading(model, layers) as readings, torch.no_grad():
        for inputs in batches:
            noisy = _noisy(inputs, [level * width for width in widths], draw)
            run(model, inputs)
            for one in readings.values():
                one.again = True
            run(model, noisy)
            for one in readings.values():
                one.again = False
    return {name: one.whole() for name, one in readings.items() if one.count}


def _measures(inputs) -> list[torch.Tensor]:
    return [leaf for leaf in tree_leaves(inputs) if isinstance(leaf, torch.Tensor) and leaf.is_floating_point()]


def _widths(batches: list) -> list[float]:
    """The standard deviation of each tensor of measures over all batches."""
    widths = []
    for parts in zip(*map(_measures, batches), strict=True):
        widths.append(torch.cat([part.double().flatten() for part in parts]).std(correction=0).item())
    if not widths:
        raise CannotScore(_("The inputs of this network are not measures that could be disturbed a little."))
    return widths


def _noisy(inputs, widths: list[float], draw: torch.Generator):
    width = iter(widths)

    def disturbed(value):
        if not (isinstance(value, torch.Tensor) and value.is_floating_point()):
            return value.clone() if isinstance(value, torch.Tensor) else value
        # In double precision: there the lots do not depend on how the examples are split into batches.
        return value + next(width) * torch.randn(value.shape, generator=draw, dtype=torch.float64).to(value)

    return tree_map(disturbed, inputs)


class _Reading:
    """What one layer reads, batch by batch: first undisturbed, then `again`."""

    def __init__(self, module: nn.Module):
        self.module = module
        self.again = False
        self.calls: list[torch.Tensor] = []
        self.sums: torch.Tensor | int = 0
        self.count = 0

    def take(self, x: torch.Tensor) -> None:
        # A copy: what comes after may write into it.
        x = by_places(self.module, x.detach().to(torch.float64, copy=True)).flatten(0, 1)
        if self.again:
            changed = (x - self.calls.pop(0)).square().sum(0)
            self.sums = self.sums + torch.stack([torch.zeros_like(changed), torch.zeros_like(changed), changed])
        else:
            self.calls.append(x)
            self.sums = self.sums + torch.stack([x.sum(0), x.square().sum(0), torch.zeros_like(x[0])])
            self.count += len(x)

    def whole(self) -> Disturbed:
        mean, square, noise = self.sums / self.count
        signal = square - mean.square()
        return Disturbed(torch.where(signal > ROUNDING * square, signal, 0).float(), noise.float())


@contextlib.contextmanager
def _reading(model: nn.Module, layers: Iterable[str]) -> Iterator[dict[str, _Reading]]:
    readings = {name: _Reading(model.get_submodule(name)) for name in layers}

    def note(one: _Reading):
        return lambda _module, args, named: one.take(args[0] if args else next(iter(named.values())))

    hooks = [one.module.register_forward_pre_hook(note(one), with_kwargs=True) for one in readings.values()]
    try:
        yield readings
    finally:
        for hook in hooks:
            hook.remove()
