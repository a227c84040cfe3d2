"""What comes back to the layers of a network from the loss of each example: the error terms of back-propagation."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn

from prunekit.core.tasks import Task
from prunekit.scoring.activity import by_places
from prunekit.scoring.running import loss_of, run
from prunekit.structure.axes import NORMALISATIONS
from prunekit.structure.inputs import batch_size
from prunekit.structure.layers import is_weighted


@dataclass(frozen=True)
class Backflow:
    """What came back to the channels y that one layer gives; float32, shape (examples, channels), with a row for each
    call where a layer is called several times.

    error: ∂L/∂y of an example's own loss, added up over its places; change: y ∂L/∂y, likewise.
    """

    error: torch.Tensor
    change: torch.Tensor


def backflow(model: nn.Module, batches: list[tuple], task: Task) -> dict[str, Backflow]:
    """By layer, for convolutions, linear layers and normalisations that are called.

    model: in eval mode, so that examples do not meet; batches: (inputs, targets). Raises CannotScore.
    """
    rows: dict[str, list[tuple[torch.Tensor, torch.Tensor]]] = {}
    with _outputs(model) as given, torch.enable_grad():
        for inputs, targets in batches:
            given.clear()
            # The loss is a mean over the batch: times their number, each example has its own.
            loss = loss_of(run(model, inputs), targets, task) * batch_size(inputs)
            found = torch.autograd.grad(loss, [y for _name, y in given], allow_unused=True)
            for (name, y), slope in zip(given, found, strict=True):
                module = model.get_submodule(name)
                y = by_places(module, y.detach().float())
                slope = torch.zeros_like(y) if slope is None else by_places(module, slope.float())
                rows.setdefault(name, []).append((slope.sum(1), (y * slope).sum(1)))
    return {name: Backflow(*map(torch.cat, zip(*parts, strict=True))) for name, parts in rows.items()}


@contextlib.contextmanager
def _outputs(model: nn.Module) -> Iterator[list[tuple[str, torch.Tensor]]]:
    """What each layer gave, by name, in the order of the calls inside."""
    given: list[tuple[str, torch.Tensor]] = []

    def note(name: str):
        def hook(_module, _args, y):
            given.append((name, y))
            return y.clone()  # what follows may write into it

        return hook

    looked_at = [(n, m) for n, m in model.named_modules() if is_weighted(m) or isinstance(m, NORMALISATIONS)]
    hooks = [module.register_forward_hook(note(name)) for name, module in looked_at]
    try:
        yield given
    finally:
        for hook in hooks:
            hook.remove()
