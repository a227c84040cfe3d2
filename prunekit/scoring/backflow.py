"""What comes back to the layers of a network from the loss of each example: the error terms of back-propagation."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn

from prunekit.scoring.activity import by_places
from prunekit.scoring.running import Calibration, examples_in, loss_of, pair, run
from prunekit.structure.axes import NORMALISATIONS
from prunekit.structure.layers import is_weighted


@dataclass(frozen=True)
class Backflow:
    """What came back to the channels y that one layer gives; float32, shape (examples, channels), with a row for each
    call where a layer is called several times.

    error: ∂L/∂y of an example's own loss, added up over its places; change: y ∂L/∂y, likewise; behind: of a
    normalisation the layer whose outputs it takes as they are, "" where there is none.
    """

    error: torch.Tensor
    change: torch.Tensor
    behind: str


def backflow(model: nn.Module, pairs: list[tuple], calibration: Calibration) -> dict[str, Backflow]:
    """By layer, for convolutions, linear layers and normalisations that are called.

    model: in eval mode, so that examples do not meet; pairs: those of the calibration set. Raises CannotScore.
    """
    rows: dict[str, list[tuple[torch.Tensor, torch.Tensor]]] = {}
    with _outputs(model) as (given, behind), torch.enable_grad():
        for inputs, targets in map(pair, pairs):
            calibration.ask()
            given.clear()
            # The loss is a mean over the batch: times their number, each example has its own.
            loss = loss_of(run(model, inputs), targets, calibration.task) * examples_in(inputs, targets)
            reached = [y for _name, y, _handed in given if y.requires_grad]
            slopes = iter(torch.autograd.grad(loss, reached, allow_unused=True)) if loss.requires_grad else iter(())
            for name, y, _handed in given:
                slope = next(slopes, None) if y.requires_grad else None
                module = model.get_submodule(name)
                y = by_places(module, y.detach().float())
                slope = torch.zeros_like(y) if slope is None else by_places(module, slope.float())
                rows.setdefault(name, []).append((slope.sum(1), (y * slope).sum(1)))
    whole = {name: map(torch.cat, zip(*parts, strict=True)) for name, parts in rows.items()}
    return {name: Backflow(*parts, behind=behind.get(name, "")) for name, parts in whole.items()}


@contextlib.contextmanager
def _outputs(model: nn.Module) -> Iterator[tuple[list[tuple[str, torch.Tensor, torch.Tensor]], dict[str, str]]]:
    """What each layer gave, in the order of the calls inside: its name, the tensor, and the copy that was handed on;
    and for each layer that took such a copy as it was, the layer that gave it.
    """
    given: list[tuple[str, torch.Tensor, torch.Tensor]] = []
    behind: dict[str, str] = {}

    def note(name: str):
        def hook(_module, args, y):
            for giver, _y, handed in given:
                if args and handed is args[0] and not handed._version:  # nobody has written into it
                    behind[name] = giver
            handed = y.clone()  # what follows may write into it
            given.append((name, y, handed))
            return handed

        return hook

    looked_at = [(n, m) for n, m in model.named_modules() if is_weighted(m) or isinstance(m, NORMALISATIONS)]
    hooks = [module.register_forward_hook(note(name)) for name, module in looked_at]
    try:
        yield given, behind
    finally:
        for hook in hooks:
            hook.remove()
