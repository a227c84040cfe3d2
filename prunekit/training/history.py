"""How the weights of a network move while it is trained: what some criteria look at."""

from collections.abc import Iterable

import torch

PREFIX = "history/"


class WeightHistory:
    """Follows some parameters of a network through a training.

    start: name -> the parameter before the training; pull: name -> the sum of -w ∂L/∂w over the steps so far, L being
    whatever the training makes smaller: above zero where it pulled the weight away from zero.
    """

    def __init__(self, model: torch.nn.Module, names: Iterable[str]):
        self.start = {name: _copied(model.get_parameter(name)) for name in names}
        self.pull = {name: torch.zeros_like(tensor) for name, tensor in self.start.items()}

    def add(self, model: torch.nn.Module) -> None:
        """Takes in the gradients of a step, before the step."""
        for name, pull in self.pull.items():
            parameter = model.get_parameter(name)
            if parameter.grad is not None:
                pull.addcmul_(parameter.grad, parameter.detach(), value=-1)

    def tensors(self) -> dict[str, torch.Tensor]:
        """All of it as it is now, by names for a checkpoint."""
        pull = {name: _copied(tensor) for name, tensor in self.pull.items()}  # what goes on; the start stays as it is
        return {
            f"{PREFIX}{kind}/{n}": t for kind, of in zip(KINDS, (self.start, pull), strict=True) for n, t in of.items()
        }

    def restore(self, tensors: dict[str, torch.Tensor]) -> None:
        """Goes on from what `tensors` gave."""
        for kind in KINDS:
            for name, tensor in getattr(self, kind).items():
                tensor.copy_(tensors[f"{PREFIX}{kind}/{name}"])


KINDS = ("start", "pull")


def _copied(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().clone(memory_format=torch.contiguous_format)
