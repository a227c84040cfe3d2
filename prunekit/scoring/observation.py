"""What a scorer sees of a network: its weights, their gradients, what flows into the layers and back out of them."""

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import torch
from torch import nn

from prunekit.core.errors import CannotPrune, CannotScore
from prunekit.core.language import _
from prunekit.scoring.activity import Activity
from prunekit.scoring.backflow import Backflow
from prunekit.scoring.disturbance import Disturbed
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
    nothing depends on it; curved: name -> the Hessian of the loss times those gradients; inputs, outputs: layer -> what
    flows into it and out of it, of layers that are called; disturbed: layer -> what its input channels do when the
    network's inputs are disturbed; back: layer -> what comes back to what it gives; loss: gives the loss with other
    tensors (by parameter name) in place of the network's; history: see `score`; unseen: layers that are used and not
    called; seed: for what is drawn at random; example_inputs: a batch that the network takes, or None for a guess.
    """

    model: nn.Module
    layers: Mapping[str, str]
    weights: Mapping[str, torch.Tensor]
    gradients: Mapping[str, torch.Tensor] = field(default_factory=dict)
    curved: Mapping[str, torch.Tensor] = field(default_factory=dict)
    inputs: Mapping[str, Activity] = field(default_factory=dict)
    outputs: Mapping[str, Activity] = field(default_factory=dict)
    disturbed: Mapping[str, Disturbed] = field(default_factory=dict)
    back: Mapping[str, Backflow] = field(default_factory=dict)
    loss: Callable[[Mapping[str, torch.Tensor]], float] | None = None
    history: Mapping[str, Mapping[str, torch.Tensor]] = field(default_factory=dict)
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

    @functools.cached_property
    def whole_loss(self) -> float:
        """The loss of the network as it is."""
        return self.loss({})

    def moved(self, kind: str, name: str) -> torch.Tensor:
        """What the history says of a weight tensor. Raises CannotScore where it is of another network."""
        found = self.history.get(kind, {}).get(name)
        if found is None or found.shape != self.weights[name].shape:
            sentence = _("The history says nothing of {name}; it must be of a training of this very network.")
            raise CannotScore(sentence.format(name=name))
        return found.float()

    def weighted(self, members: Iterable[Member]) -> list[Member]:
        """Those members of a group that are convolutions or linear layers."""
        return [m for m in members if f"{m.layer}.weight" in self.weights]

    def readers(self, group: Group) -> list[Member]:
        """The convolutions and linear layers that read a group's channels. Raises CannotScore where there are none."""
        found = self.weighted(group.consumers)
        if not found:
            raise CannotScore(_("No layer reads the channels of {layer}.").format(layer=group.name))
        return found

    def readers_or_makers(self, group: Group) -> list[Member]:
        """The layers that read a group's channels; those that make them, where nothing does."""
        return self.weighted(group.consumers) or self.weighted(group.producers)

    def into(self, layer: str, value: Callable[[Activity], torch.Tensor]) -> torch.Tensor:
        """A quantity of a layer's input channels, shape (channels, ...); zeros of shape (channels,) for a layer that is
        not used. Raises CannotScore where the layer's weights are used without it.
        """
        return self._at(self.inputs, layer, value, "in")

    def behind(self, layer: str, value: Callable[[Backflow], torch.Tensor]) -> torch.Tensor:
        """A quantity of what comes back to a layer's output channels, as `into` gives one of what it reads."""
        return self._at(self.back, layer, value, "out")

    def stirred(self, layer: str, value: Callable[[Disturbed], torch.Tensor]) -> torch.Tensor:
        """A quantity of a layer's input channels when the network's inputs are disturbed, as `into` gives one."""
        return self._at(self.disturbed, layer, value, "in")

    def _at(self, found: Mapping, layer: str, value: Callable, side: str) -> torch.Tensor:
        if layer in self.unseen:
            sentence = _("What {layer} reads cannot be seen, its weights are used by others; choose another criterion.")
            if side == "out":
                sentence = _("What {layer} gives cannot be seen, others use its weights; choose another criterion.")
            raise CannotScore(sentence.format(layer=layer))
        if layer in found:
            return value(found[layer])
        module = self.model.get_submodule(layer)
        kind = "features" if isinstance(module, nn.Linear) else "channels"
        return torch.zeros(getattr(module, f"{side}_{kind}"))

    def without(self, group: Group, unit: int) -> dict[str, torch.Tensor]:
        """The weights of all that read a unit, with zeros in its place: the network without it. Raises CannotScore."""
        changed = {}
        for member in self.readers(group):
            name = f"{member.layer}.weight"
            dimension = channel_tensors(self.model, member.layer, member.axis)[name]
            weight = changed.setdefault(name, self.model.get_parameter(name).detach().clone())
            weight.index_fill_(dimension, member.positions[unit].to(weight.device), 0)
        return changed

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
        return self._along(name, self.into(self.layers[name], value), "in")

    def along_outputs(self, name: str, value: Callable[[Backflow], torch.Tensor]) -> torch.Tensor:
        """A quantity of a layer's output channels, of the shape of its weight tensor: each weight has that of what it
        makes. See `behind`.
        """
        return self._along(name, self.behind(self.layers[name], value), "out")

    def _along(self, name: str, channels: torch.Tensor, side: str) -> torch.Tensor:
        weight, module = self.weights[name], self.model.get_submodule(self.layers[name])
        channels, rest = channels.to(weight.device), [1] * (weight.dim() - 2)
        # A weight tensor is (out, in / groups, ...), of a transposed convolution (in, out / groups, ...).
        if (side == "in") == getattr(module, "transposed", False):
            return channels.reshape(-1, 1, *rest).expand_as(weight)
        # Each block of the first axis meets a block of its own along the second.
        blocks = getattr(module, "groups", 1)
        channels = channels.reshape(blocks, 1, -1, *rest)
        return channels.expand(blocks, len(weight) // blocks, *weight.shape[1:]).reshape(weight.shape)


def per_unit(channels: torch.Tensor, member: Member) -> torch.Tensor:
    """One number, or row, for each position along a member's axis, laid out by units, shape (units, k, ...)."""
    return channels[member.positions.to(channels.device)]


def positive(total: torch.Tensor) -> torch.Tensor:
    """To divide by: among zeros each has a share of zero."""
    return total.clamp_min(torch.finfo(total.dtype).tiny)


def shares(sums: torch.Tensor) -> torch.Tensor:
    """What each unit has of its layer, from (layers, units) of sizes: each row adds up to 1."""
    return sums / positive(sums.sum(1, keepdim=True))
