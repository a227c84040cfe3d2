"""A multi-layer perceptron: linear layers with ReLU between them."""

import math

import torch
from torch import nn
from torch.nn import functional


class MLP(nn.Module):
    """Linear layers fc1, fc2, ... on flattened inputs.

    hidden: neurons of each hidden layer; classes: outputs; input_shape: of one example, any number of dimensions.
    Input (N, *input_shape), output (N, classes).
    """

    def __init__(self, hidden=(64, 64, 32), classes=10, input_shape=(1, 8, 8)):
        super().__init__()
        sizes = [math.prod(input_shape), *hidden, classes]
        self.depth = len(sizes) - 1
        for i in range(self.depth):
            self.add_module(f"fc{i + 1}", nn.Linear(sizes[i], sizes[i + 1]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.flatten(x, 1)
        for i in range(1, self.depth):
            x = functional.relu(self.get_submodule(f"fc{i}")(x))
        return self.get_submodule(f"fc{self.depth}")(x)
