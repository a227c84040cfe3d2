"""Which channels a network's wiring ties together, read off Torch-Pruning's dependency graph (Fang et al., 2023)."""

import warnings
from collections import defaultdict
from dataclasses import dataclass, field

import torch
import torch_pruning as tp
from torch import nn
from torch_pruning import ops
from torch_pruning._helpers import _HybridIndex

from prunekit.core.errors import CannotPrune
from prunekit.core.language import _
from prunekit.structure.inputs import run
from prunekit.structure.tracing_copy import first_line

# What rearranges channels by numbers written into the network's code, where a smaller tensor would be cut wrongly.
FIXED_PLACES = {ops.OPTYPE.SPLIT, ops.OPTYPE.SLICE, ops.OPTYPE.UNBIND, ops.OPTYPE.EXPAND}

# Several times what a DenseNet-201 takes; wirings that take more (windowed attention) are given up after some seconds
# rather than followed for hours.
MOST_STEPS = 4_000_000


@dataclass
class Unit:
    """Channels that stand and fall together.

    places: (name, axis) -> the positions along that axis; the name is a module's, or a raw parameter's;
    answers: whether they reach the network's output; fixed_places: whether the code splits or slices them.
    """

    places: dict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    answers: bool = False
    fixed_places: bool = False


def coupled_units(twin: nn.Module, inputs) -> list[Unit]:
    """All units of a network (a tracing copy), found by following every channel through its dependencies.

    Torch-Pruning's own `get_pruning_group` follows one layer at a time, forgets channels that are tied twice, and
    never comes back from some networks; its graph and index mappings are followed here channel by channel instead,
    each visited once. Raises CannotPrune when the network cannot be traced.
    """
    graph = _dependency_graph(twin, inputs)
    names = {module: name for name, module in twin.named_modules()}
    names |= {parameter: name for name, parameter in twin.named_parameters()}
    ties, steps = _Ties(), 0
    seen: dict[tuple, set[int]] = defaultdict(set)
    waiting = []
    for module, node in graph.module2node.items():
        if isinstance(module, (ops.TORCH_CONV, ops.TORCH_LINEAR)):
            pruner = graph.get_pruner_of_module(module)
            waiting.append(((node, pruner.prune_out_channels), range(pruner.get_out_channels(module))))
    while waiting:
        here, indices = waiting.pop()
        fresh = [i for i in indices if i not in seen[here]]
        seen[here].update(fresh)
        if not fresh:
            continue
        node, action = here
        for dependency in node.dependencies:
            if dependency.is_triggered_by(action):
                there = (dependency.target, dependency.handler)
                reached = _follow(dependency, fresh)
                ties.join(here, there, reached)
                waiting.append((there, [index for _from, index in reached]))
                steps += len(reached)
        if steps > MOST_STEPS:
            raise CannotPrune(_("The network's layers depend on each other in too many ways to be followed."))
    return _units(graph, seen, ties, names)


def _dependency_graph(twin: nn.Module, inputs) -> tp.DependencyGraph:
    with torch.no_grad():
        run(twin, inputs)  # Torch-Pruning calls a failing network twice and shows the second error, a misleading one.
    try:
        with warnings.catch_warnings(), torch.enable_grad():
            warnings.simplefilter("ignore")
            return tp.DependencyGraph().build_dependency(twin, inputs, verbose=False)
    except Exception as error:  # Torch-Pruning fails in many ways on unusual networks
        sentence = _("The network's layers cannot be traced: {reason}")
        raise CannotPrune(sentence.format(reason=first_line(error))) from error


def _follow(dependency, indices: list[int]) -> list[tuple[int, int]]:
    """(index here, index there) for every index that a dependency carries over."""
    mappings = [mapping for mapping in dependency.index_mapping if mapping is not None]
    if not mappings:
        return [(i, i) for i in indices]
    hybrid = [_HybridIndex(idx=i, root_idx=i) for i in indices]
    for mapping in mappings:
        hybrid = mapping(hybrid)
    return [(h.root_idx, h.idx) for h in hybrid]


class _Ties:
    """Disjoint sets of channels, each a (place, index), joined tie by tie."""

    def __init__(self):
        self._places: dict[tuple, int] = {}
        self._parent: dict[int, int] = {}

    def root(self, place: tuple, index: int) -> int:
        """A number that is the same for all channels tied to this one."""
        return self._root(self._offset(place) + index)

    def join(self, here: tuple, there: tuple, pairs: list[tuple[int, int]]) -> None:
        """Tie each (index here, index there)."""
        first, second, parent = self._offset(here), self._offset(there), self._parent
        for one, other in pairs:
            parent[self._root(second + other)] = self._root(first + one)

    def _offset(self, place: tuple) -> int:
        # One integer for each channel: much quicker to look up than a pair.
        return self._places.setdefault(place, len(self._places)) << 40

    def _root(self, item: int) -> int:
        parent = self._parent
        above = parent.setdefault(item, item)
        while above != item:
            parent[item] = above = parent[above]  # halving the path keeps later look-ups short
            item, above = above, parent[above]
        return item


def _units(graph, seen, ties: _Ties, names: dict) -> list[Unit]:
    units: dict[tuple, Unit] = defaultdict(Unit)
    for (node, action), indices in seen.items():
        name = names.get(node.module)
        pruner = graph.get_pruner_of_module(node.module)
        axis = "out" if action == pruner.prune_out_channels else "in"
        # The last operation of the forward pass has nowhere to go but into the answer.
        answers = node.type == ops.OPTYPE.OUTPUT or (not node.outputs and axis == "out")
        for index in sorted(indices):
            unit = units[ties.root((node, action), index)]
            unit.answers |= answers
            unit.fixed_places |= node.type in FIXED_PLACES
            if name is not None:
                unit.places[name, axis].append(index)
    return list(units.values())
