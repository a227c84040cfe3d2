"""What a scorer sees of a network: its weights, and for one batch their gradients or the layers' inputs."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import nn
from torch.nn import functional
from torch.utils._pytree import tree_map

from prunekit.core.errors import BadSetting, CannotScore
from prunekit.core.language import _
from prunekit.core.tasks import Task
from prunekit.structure.axes import channel_tensors
from prunekit.structure.groups import Member
from prunekit.structure.inputs import batch_size, forward
from prunekit.structure.tracing_copy import first_line


def _mean_squared_error(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    # reshape: (N, 1) outputs against (N,) targets would broadcast to (N, N) without a word.
    return functional.mse_loss(outputs.reshape(targets.shape), targets)


# By the name that `core.tasks.Task.loss` gives.
LOSSES = {"cross_entropy": functional.cross_entropy, "mean_squared_error": _mean_squared_error}


@dataclass(frozen=True)
class Observation:
    """A network in eval mode, as seen on one batch, or on none.

    model: a copy over the same memory, not to be written to; layers: name of each weight tensor -> its layer;
    weights: name -> tensor, detached, float32; gradients: name -> dL/dw on the batch, float32, zero where the loss does
    not depend on it; inputs: layer -> mean |x| of each of its input channels or features over examples and positions,
    float32, zero where the forward pass does not call the layer; seed: for what is drawn at random.
    """

    model: nn.Module
    layers: Mapping[str, str]
    weights: Mapping[str, torch.Tensor]
    gradients: Mapping[str, torch.Tensor] = field(default_factory=dict)
    inputs: Mapping[str, torch.Tensor] = field(default_factory=dict)
    seed: int = 0

    def weighted(self, members: Iterable[Member]) -> list[Member]:
        """Those members of a group that are convolutions or linear layers."""
        return [m for m in members if f"{m.layer}.weight" in self.weights]

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


def per_unit(channels: torch.Tensor, member: Member) -> torch.Tensor:
    """One number, or row, for each position along a member's axis, laid out by units, shape (units, k, ...)."""
    return channels[member.positions.to(channels.device)]


def observations(
    model: nn.Module, layers: Mapping[str, str], needs: str, batches: Iterable, task: Task, seed: int
) -> Iterator[tuple[Observation, int]]:
    """What a scorer with these needs gets to see, each with the number of examples behind it.

    model: a tracing copy. One observation with no batch where `needs` is "weights". Raises BadSetting for a batch that
    is no (inputs, targets) pair, and CannotScore when the network or the loss does not take it.
    """
    parameters = dict(model.named_parameters())
    weights = {name: parameters[name].detach().float() for name in layers}
    if needs == "weights":
        yield Observation(model, layers, weights, seed=seed), 1
        return
    for batch in batches:
        inputs, targets = _pair(batch)
        if needs == "gradients":
            found = _gradients(model, [parameters[name] for name in layers], inputs, targets, task)
            gradients = dict(zip(layers, found, strict=True))
            yield Observation(model, layers, weights, gradients=gradients, seed=seed), batch_size(inputs)
        else:
            means = _mean_inputs(model, layers.values(), inputs)
            yield Observation(model, layers, weights, inputs=means, seed=seed), batch_size(inputs)


def _pair(batch) -> tuple:
    if not isinstance(batch, (tuple, list)) or len(batch) != 2:
        raise BadSetting(_("A calibration set must give (inputs, targets) batches, as data.train.batches(64) does."))
    return tuple(batch)


def _gradients(model: nn.Module, weights: list, inputs, targets, task: Task) -> list[torch.Tensor]:
    with torch.enable_grad():
        inputs, targets = tree_map(_usable, (inputs, targets))
        outputs = _run(model, inputs)
        try:
            loss = LOSSES[task.loss](outputs, targets)
        except (RuntimeError, ValueError, TypeError, IndexError) as error:
            sentence = _("The loss of the task {task} does not take the calibration targets: {reason}")
            raise CannotScore(sentence.format(task=task.name, reason=first_line(error))) from error
        # autograd.grad, not backward(): no .grad is touched.
        found = torch.autograd.grad(loss, weights, allow_unused=True)
    return [torch.zeros_like(w) if g is None else g.detach().float() for w, g in zip(weights, found, strict=True)]


def _usable(value):
    """Tensors made in inference mode cannot take part in gradients; a clone can."""
    if isinstance(value, torch.Tensor) and value.is_inference():
        return value.clone()
    return value


def _run(model: nn.Module, inputs):
    try:
        return forward(model, inputs)
    except Exception as error:  # a stranger's forward pass may raise anything
        sentence = _("The network does not run on the calibration set: {reason}")
        raise CannotScore(sentence.format(reason=first_line(error))) from error


def _mean_inputs(model: nn.Module, layers: Iterable[str], inputs) -> dict[str, torch.Tensor]:
    """Mean |x| of each input channel (feature, for linear layers) of each layer; zero where it is never called."""
    modules = {name: model.get_submodule(name) for name in layers}
    sums = {name: torch.zeros((), dtype=torch.float64) for name in modules}
    counts = dict.fromkeys(modules, 0)

    def note(name: str):
        def hook(module, args):
            x = args[0].detach().float().abs()
            if isinstance(module, nn.Linear):
                x = x.reshape(-1, x.shape[-1])
            else:  # (N, C, positions...), or (C, positions...) without a batch
                x = x.movedim(-1 - len(module.kernel_size), -1).reshape(-1, module.in_channels)
            sums[name] = sums[name] + x.sum(0, dtype=torch.float64)
            counts[name] += len(x)

        return hook

    # A layer that is called more than once is one layer with more inputs.
    hooks = [module.register_forward_pre_hook(note(name)) for name, module in modules.items()]
    try:
        with torch.no_grad():
            _run(model, inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return {
        name: (sums[name] / max(counts[name], 1)).float().expand(_input_channels(module))
        for name, module in modules.items()
    }


def _input_channels(module: nn.Module) -> int:
    return module.in_features if isinstance(module, nn.Linear) else module.in_channels
