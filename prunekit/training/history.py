"""How the weights of a network move while it is trained: what some criteria look at."""

from collections.abc import Iterable

import torch

from prunekit.training.checkpoint import copied

START, PULL = "history/start/", "history/pull/"


class WeightHistory:
    """Follows some parameters of a network through a training.

    start: name -> the parameter before the training; pull: name -> the sum of -w ∂L/∂w over the steps so far, L being
    whatever the training makes smaller: above zero where it pulled the weight away from zero.
    """

    def __init__(self, model: torch.nn.Module, names: Iterable[str]):
        self.start = {name: copied(model.get_parameter(name)) for name in names}
        self.pull = {name: torch.zeros_like(tensor) for name, tensor in self.start.items()}

    def add(self, model: torch.nn.Module) -> None:
        """Takes in the gradients of a step, before the step."""
        for name, pull in self.pull.items():
            parameter = model.get_parameter(name)
            if parameter.grad is not None:
                pull.addcmul_(parameter.grad, parameter.detach(), value=-1)

    def tensors(self) -> dict[str, torch.Tensor]:
        """All of it as it is now, by names for a checkpoint."""
        start = {f"{START}{name}": tensor for name, tensor in self.start.items()}  # stays as it is, so it is not copied
        return start | {f"{PULL}{name}": copied(tensor) for name, tensor in self.pull.items()}

    def restore(self, tensors: dict[str, torch.Tensor]) -> None:
        """Goes on from what `tensors` gave."""
        for name in self.start:
            self.start[name].copy_(tensors[f"{START}{name}"])
            self.pull[name].copy_(tensors[f"{PULL}{name}"])
