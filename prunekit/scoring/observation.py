"""What a scorer sees of a network: its weights, their gradients, what flows into the layers."""

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import torch
from torch import nn

from prunekit.core.errors import CannotPrune, CannotScore
from prunekit.core.language import _
from prunekit.scoring.activity import Activity
from prunekit.scoring.flow import synaptic_flow
from prunekit.structure.axes import channel_tensors
from prunekit.structure.groups import Group, Member
from prunekit.structure.inputs import example_inputs_of
from prunekit.structure.tracing_copy import first_line


@dataclass(frozen=True)
class Observation:
    """A network in eval mode, as seen on no data, on a batch or one example of it, or on a whole calibration set.

    model: a copy over the same memory, not to be written to; layers: name of each weight tensor -> its layer;
    weights: name -> tensor, detached, float32; gradients: name -> those that the scorer asks for, float32, zero where
    nothing depends on it; inputs, outputs: layer -> what flows into it and out of it, of layers that are called;
    unseen: layers that are used and not called; seed: for what is drawn at random; example_inputs: a batch that the
    network takes, or None for a guess.
    """

    model: nn.Module
    layers: Mapping[str, str]
    weights: Mapping[str, torch.Tensor]
    gradients: Mapping[str, torch.Tensor] = field(default_factory=dict)
    inputs: Mapping[str, Activity] = field(default_factory=dict)
    outputs: Mapping[str, Activity] = field(default_factory=dict)
    unseen: frozenset[str] = frozenset()
    seed: int = 0
    example_inputs: object = None

    @functools.cached_property
    def flow(self) -> Mapping[str, torch.Tensor]:
        """What passes through each weight without any data; see `synaptic_flow`. Raises CannotScore."""
        try:
            example = example_inputs_of(self.model, self.example_inputs)
            return synaptic_flow(self.model, list(self.weights), example)
        except CannotScore:
            raise
        except CannotPrune as error:
            raise CannotScore(str(error)) from error
        except Exception as error:  # a stranger's forward pass may raise anything
            sentence = _("The network does not run on ones in double precision: {reason}")
            raise CannotScore(sentence.format(reason=first_line(error))) from error

    def weighted(self, members: Iterable[Member]) -> list[Member]:
        """Those members of a group that are convolutions or linear layers."""
        return [m for m in members if f"{m.layer}.weight" in self.weights]

    def readers(self, group: Group) -> list[Member]:
        """The convolutions and linear layers that read a group's channels; those that make them, where nothing does."""
        return self.weighted(group.consumers) or self.weighted(group.producers)

    def into(self, layer: str, value: Callable[[Activity], torch.Tensor]) -> torch.Tensor:
        """A quantity of a layer's input channels, shape (channels, ...); zeros of shape (channels,) for a layer that is
        not used. Raises CannotScore where the layer's weights are used without it.
        """
        if layer in self.unseen:
            sentence = _("What {layer} reads cannot be seen, its weights are used by others; choose another criterion.")
            raise CannotScore(sentence.format(layer=layer))
        if layer in self.inputs:
            return value(self.inputs[layer])
        module = self.model.get_submodule(layer)
        return torch.zeros(module.in_features if isinstance(module, nn.Linear) else module.in_channels)

    def unit_slices(self, member: Member) -> torch.Tensor:
        """The weights of a member that has some, laid out by units, shape (units, weights of one)."""
        name = f"{member.layer}.weight"
        dimension = channel_tensors(self.model, member.layer, member.axis)[name]
        return per_unit(self.weights[name].movedim(dimension, 0).flatten(1), member).flatten(1)

    def unit_sums(self, members: Iterable[Member], value: Callable[[str], torch.Tensor]) -> torch.Tensor:
        """For each member that has weights, the sum of a quantity over each unit's own slices, shape (members, units).

        value: from the name of a weight tensor to the quantity, of the tensor's shape. The members "out" hold what
        makes a unit, the members "in" what reads it.
        """
        sums = []
        for member in self.weighted(members):
            name = f"{member.layer}.weight"
            dimension = channel_tensors(self.model, member.layer, member.axis)[name]
            channels = value(name).movedim(dimension, 0).flatten(1).sum(1)
            sums.append(per_unit(channels, member).sum(1))
        return torch.stack(sums)

    def along_inputs(self, name: str, value: Callable[[Activity], torch.Tensor]) -> torch.Tensor:
        """A quantity of a layer's input channels, of the shape of its weight tensor: each weight has that of what it
        reads. See `into`.
        """
        weight, layer = self.weights[name], self.layers[name]
        module, x = self.model.get_submodule(layer), self.into(layer, value).to(weight.device)
        blocks = getattr(module, "groups", 1)
        if getattr(module, "transposed", False):  # (in, out/groups, ...)
            return x.reshape(-1, *[1] * (weight.dim() - 1)).expand_as(weight)
        # (out, in/groups, ...): each block of outputs reads a block of inputs of its own.
        x = x.reshape(blocks, 1, -1, *[1] * (weight.dim() - 2))
        return x.expand(blocks, len(weight) // blocks, *weight.shape[1:]).reshape(weight.shape)


def per_unit(channels: torch.Tensor, member: Member) -> torch.Tensor:
    """One number, or row, for each position along a member's axis, laid out by units, shape (units, k, ...)."""
    return channels[member.positions.to(channels.device)]
