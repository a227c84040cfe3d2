"""What a little noise on the inputs of a network does to what its layers read."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
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
    model: nn.Module, layers: Iterable[str], batches: list, level: float, seed: int, ask: Callable[[], None]
) -> dict[str, Disturbed]:
    """By layer that is called. Gaussian noise is added to the inputs, `level` times as wide as they are themselves.

    model: in eval mode; batches: inputs; ask(): before each of them. Raises CannotScore where the inputs are no
    measures, as numbers of words, and where the network runs otherwise when they are disturbed.
    """
    widths = _widths(batches)
    draws = [torch.Generator().manual_seed(seed + i) for i in range(len(widths))]
    with _reading(model, layers) as readings, torch.no_grad():
        for inputs in batches:
            ask()
            noisy = _noisy(inputs, [level * width for width in widths], draws)
            run(model, inputs)
            for one in readings.values():
                one.again = True
            run(model, noisy)
            for name, one in readings.items():
                one.again = False
                if one.calls:
                    raise _runs_otherwise(name)
    return {name: one.whole() for name, one in readings.items() if one.count}


def _measures(inputs) -> list[torch.Tensor]:
    return [leaf for leaf in tree_leaves(inputs) if isinstance(leaf, torch.Tensor) and leaf.is_floating_point()]


def _widths(batches: list) -> list[float]:
    """The standard deviation of each tensor of measures over all batches."""
    widths = []
    for parts in zip(*map(_measures, batches), strict=True):
        widths.append(torch.cat([part.double().flatten() for part in parts]).std(correction=0).item())
    if not any(widths):
        raise CannotScore(_("The inputs of this network are not measures that could be disturbed a little."))
    return widths


def _noisy(inputs, widths: list[float], draws: list[torch.Generator]):
    measures = iter(zip(widths, draws, strict=True))

    def disturbed(value):
        if not isinstance(value, torch.Tensor):
            return value
        if not value.is_floating_point():
            return value.clone()
        width, draw = next(measures)
        # Row by row: the lots do not depend on how the examples are split into batches.
        rows = [torch.randn(row.shape, generator=draw) for row in value] if value.dim() else [torch.zeros(())]
        return value + width * torch.stack(rows).reshape(value.shape).to(value)

    return tree_map(disturbed, inputs)


def _runs_otherwise(layer: str) -> CannotScore:
    sentence = _("With noise on its inputs the network calls {layer} more or less often; choose another criterion.")
    return CannotScore(sentence.format(layer=layer))


class _Reading:
    """What one layer reads, batch by batch: first undisturbed, then `again`."""

    def __init__(self, name: str, module: nn.Module):
        self.name, self.module = name, module
        self.again = False
        self.calls: list[torch.Tensor] = []
        self.sums: torch.Tensor | int = 0
        self.count = 0

    def take(self, x: torch.Tensor) -> None:
        # A copy: what comes after may write into it.
        x = by_places(self.module, x.detach().to(torch.float64, copy=True)).flatten(0, 1)
        if self.again:
            if not self.calls:
                raise _runs_otherwise(self.name)
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
    readings = {name: _Reading(name, model.get_submodule(name)) for name in layers}

    def note(one: _Reading):
        return lambda _module, args, named: one.take(args[0] if args else next(iter(named.values())))

    hooks = [one.module.register_forward_pre_hook(note(one), with_kwargs=True) for one in readings.values()]
    try:
        yield readings
    finally:
        for hook in hooks:
            hook.remove()
