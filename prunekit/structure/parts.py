"""How the weights of a tensor fall into the units that become zeros together: single weights, kernels, rows, tiles."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from prunekit.core.cuts import GRANULARITIES, TILE, ZEROED
from prunekit.core.language import _
from prunekit.structure.layers import CONVOLUTIONS
from prunekit.structure.weights import weight_names


@dataclass(frozen=True)
class Parts:
    """The units of one weight tensor: blocks of equal size that cover it.

    tensor: its shape; view: the shape that it is looked at in, by flattening its last dimensions; block: the sides of a
    unit in that view; own: the dimensions of the view that the units are numbered along, the others having one block.
    """

    tensor: tuple[int, ...]
    view: tuple[int, ...]
    block: tuple[int, ...]
    own: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the units."""
        return tuple(self.view[i] // self.block[i] for i in self.own)

    @property
    def weights(self) -> int:
        """How many weights a unit has."""
        return math.prod(self.block)

    def gathered(self, values: torch.Tensor) -> torch.Tensor:
        """Values of the tensor's weights by unit, shape (*self.shape, self.weights)."""
        dimensions = range(len(self.view))
        split = [side for i in dimensions for side in (self.view[i] // self.block[i], self.block[i])]
        blocks = values.reshape(split).permute(*(2 * i for i in dimensions), *(2 * i + 1 for i in dimensions))
        return blocks.reshape(*self.shape, self.weights)

    def corner(self, units: torch.Tensor, side: int) -> torch.Tensor:
        """What `spread` gives, of the first `side` rows and columns of the matrix of outputs times everything else."""
        rows = torch.arange(min(self.view[0], side))
        columns = torch.unravel_index(torch.arange(min(math.prod(self.view[1:]), side)), self.view[1:])
        values = units.reshape([v // b for v, b in zip(self.view, self.block, strict=True)])
        along = (c[None] // b for c, b in zip(columns, self.block[1:], strict=True))
        return values[(rows[:, None] // self.block[0], *along)]

    def spread(self, units: torch.Tensor) -> torch.Tensor:
        """Values of the units at each of their weights, of the tensor's shape."""
        values = units.reshape([v // b for v, b in zip(self.view, self.block, strict=True)])
        for dimension, side in enumerate(self.block):
            if side > 1:
                values = values.repeat_interleave(side, dimension)
        return values.reshape(self.tensor)


def parts_of(module: nn.Module | None, shape: Sequence[int], granularity: str) -> Parts | None:
    """The units of a layer's weight tensor at a granularity of zeros; None where it has none.

    A kernel is what a convolution applies to one input for one output, a row all weights of one output, a tile 4 x 4
    neighbours in the matrix of outputs times everything else. Linear layers have no kernels; a matrix whose sides are
    not multiples of 4 has no tiles. Kernels and tiles are numbered as the tensor lies, which of a transposed
    convolution is inputs first.
    """
    shape = tuple(shape)
    dimensions = tuple(range(len(shape)))
    if granularity == "weight":
        return Parts(shape, shape, (1,) * len(shape), dimensions)
    if len(shape) < 2 or not math.prod(shape):
        return None
    kernel = math.prod(shape[2:])
    if granularity == "kernel":
        return Parts(shape, (*shape[:2], kernel), (1, 1, kernel), (0, 1)) if len(shape) > 2 else None
    matrix = (shape[0], shape[1] * kernel)
    if granularity == "tile":
        return None if any(side % TILE for side in matrix) else Parts(shape, matrix, (TILE, TILE), (0, 1))
    if isinstance(module, CONVOLUTIONS) and module.transposed:  # outputs come second there
        return Parts(shape, (*shape[:2], kernel), (shape[0], 1, kernel), (1,))
    return Parts(shape, matrix, (1, matrix[1]), (0,))


def weight_parts(model: nn.Module, granularity: str) -> dict[str, Parts]:
    """Parameter name -> its units, for each of `weight_names` that has some, in their order.

    The rows of the last layer are left alone: each is taken for an answer of the network.
    """
    modules = dict(model.named_modules())
    found = {
        name: parts_of(modules.get(layer), model.get_parameter(name).shape, granularity)
        for name, layer in weight_names(model, include_last=granularity != "row").items()
    }
    return {name: parts for name, parts in found.items() if parts is not None}


def no_parts(granularity: str) -> str:
    """What is to be said of a network without any units of a granularity."""
    sentence = _("This network has no {units}. {why}")
    return sentence.format(units=_(GRANULARITIES[granularity]), why=without_parts(granularity))


def without_parts(granularity: str) -> str:
    """Why a layer that can be pruned has no units of a granularity, in a sentence."""
    return {
        "kernel": _("Only convolutions have kernels."),
        "row": _("The rows of the layer that the network names last are taken for its answers."),
        "tile": _("Tiles need a weight matrix whose sides are multiples of {n}.").format(n=TILE),
    }.get(granularity, "")


def parts_like(module: nn.Module | None, shape: Sequence[int], units: Sequence[int]) -> Parts | None:
    """The units of a layer's weight tensor that have the given shape; None where none have."""
    found = (parts_of(module, shape, granularity) for granularity in ZEROED)
    return next((parts for parts in found if parts is not None and parts.shape == tuple(units)), None)
