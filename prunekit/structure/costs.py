"""What a network costs as a function of how many units are kept: parameters, non-zeros, MACs and bytes."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from prunekit.core.cut_table import QUANTITIES, Costs
from prunekit.structure.axes import channel_tensors
from prunekit.structure.file_size import header_bytes
from prunekit.structure.groups import Group
from prunekit.structure.inputs import example_inputs_of
from prunekit.structure.layers import layers
from prunekit.structure.parts import weight_parts


def weight_costs(model: nn.Module, example_inputs=None, granularity: str = "weight") -> Costs:
    """Costs with one row for each weight tensor that has units of a granularity of zeros, in the order of
    `weight_parts`, in those units.

    Zeros stay in place, so parameters and bytes are constant; non-zeros follow the kept weights (as if none of them
    were zero), and so do MACs, which is the theory: no dense kernel skips a zero.
    """
    parts = weight_parts(model, granularity)
    rows = list(parts)
    bill = _Bill(model, example_inputs, len(rows))
    for tensor in bill.tensors:
        if tensor.name not in rows:
            bill.add(tensor, {}, np.array([tensor.parameters, tensor.nonzero, tensor.macs, tensor.bytes], float))
            continue
        bill.add(tensor, {}, np.array([tensor.parameters, 0, 0, tensor.bytes], float))
        whole = _Axis.of(0, {rows.index(tensor.name): parts[tensor.name].weights})
        bill.add(tensor, {0: whole}, np.array([0, 1, tensor.macs / max(tensor.size, 1), 0]))
    return bill.costs()


def channel_costs(model: nn.Module, example_inputs, groups: Sequence[Group]) -> Costs:
    """Costs with one row for each prunable group among `groups`, in their order, in units of the group.

    Parameters, MACs and the bytes of all tensors are exact for the network that `remove_channels` returns; non-zeros
    are so where a tensor holds no zeros or nothing else (otherwise its share of zeros stays what it is). The header
    of the file, whose length follows the digits of the shapes, counts as the unpruned network's.
    """
    groups = [group for group in groups if group.prunable]
    growth: dict[str, dict[int, dict[int, int]]] = defaultdict(lambda: defaultdict(dict))
    for row, group in enumerate(groups):
        for member in group.members:
            for name, dimension in channel_tensors(model, member.layer, member.axis).items():
                growth[name][dimension][row] = member.positions.shape[1]
    bill = _Bill(model, example_inputs, len(groups))
    for tensor in bill.tensors:
        axes = {}
        for dimension, rows in growth.get(tensor.name, {}).items():
            whole = sum(k * groups[row].units for row, k in rows.items())
            axes[dimension] = _Axis.of(tensor.shape[dimension] - whole, rows)
        fixed = math.prod(size for dimension, size in enumerate(tensor.shape) if dimension not in axes)
        share = np.array([tensor.parameters, tensor.nonzero, tensor.macs, tensor.bytes], float) / max(tensor.size, 1)
        bill.add(tensor, axes, share * fixed)
    return bill.costs()


@dataclass(frozen=True)
class _Axis:
    """A size that grows with the kept units of some rows: fixed + the sum of k * kept[row]."""

    fixed: int
    rows: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, fixed: int, rows: dict[int, int]) -> "_Axis":
        return cls(fixed, tuple(sorted(rows.items())))


@dataclass(frozen=True)
class _Tensor:
    """One entry of a state dict with what it costs in full; `parameters` is 0 for buffers."""

    name: str
    layer: str
    shape: tuple[int, ...]
    size: int
    parameters: int
    nonzero: int
    macs: int
    bytes: int


class _Bill:
    """Collects terms, each a product of at most two axes, and makes Costs of them."""

    def __init__(self, model: nn.Module, example_inputs, rows: int):
        found = layers(model, example_inputs_of(model, example_inputs))
        macs = {layer.name: layer.macs for layer in found}
        state = model.state_dict()
        parameters = {name for name, _parameter in model.named_parameters()}
        self.tensors = [_tensor(name, tensor, name in parameters, macs) for name, tensor in state.items()]
        self._rows = rows
        self._header = header_bytes(state)
        owners = [tensor.layer for tensor in self.tensors]
        self._layers = list(dict.fromkeys([layer.name for layer in found if layer.name in owners] + owners))
        self._axes: dict[_Axis, int] = {}
        self._terms: list[tuple[int, int, np.ndarray, int]] = []

    def add(self, tensor: _Tensor, axes: dict[int, _Axis], coefficients: np.ndarray) -> None:
        """One term of a tensor: coefficients (of QUANTITIES) times the sizes of its axes."""
        if not coefficients.any():
            return
        first, second = [*(self._axes.setdefault(a, len(self._axes)) for a in axes.values()), -1, -1][:2]
        self._terms.append((first, second, coefficients, self._layers.index(tensor.layer)))

    def costs(self) -> Costs:
        growth = np.zeros((len(self._axes), self._rows))
        for axis, index in self._axes.items():
            for row, k in axis.rows:
                growth[index, row] = k
        first, second, coefficients, owner = zip(*self._terms, strict=True) if self._terms else ((), (), (), ())
        constant = np.zeros(len(QUANTITIES))
        constant[QUANTITIES.index("bytes")] = self._header
        return Costs(
            growth=growth,
            fixed=np.array([axis.fixed for axis in self._axes], dtype=float),
            first=np.array(first, dtype=np.int64),
            second=np.array(second, dtype=np.int64),
            coefficients=np.array(coefficients, dtype=float).reshape(-1, len(QUANTITIES)),
            owner=np.array(owner, dtype=np.int64),
            constant=constant,
            layers=tuple(self._layers),
        )


def _tensor(name: str, tensor: torch.Tensor, is_parameter: bool, macs: dict[str, int]) -> _Tensor:
    layer, _dot, last = name.rpartition(".")
    size = tensor.numel()
    return _Tensor(
        name=name,
        layer=layer,
        shape=tuple(tensor.shape),
        size=size,
        parameters=size if is_parameter else 0,
        nonzero=int(torch.count_nonzero(tensor)) if is_parameter else 0,
        macs=macs.get(layer, 0) if last == "weight" else 0,
        bytes=tensor.nbytes,
    )
