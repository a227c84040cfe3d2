"""A LeNet (LeCun et al., 1998) with batch norm: two convolutions and two linear layers."""

import torch
from torch import nn
from torch.nn import functional


class LeNet(nn.Module):
    """Small CNN for small images.

    channels: of the two 5x5 convolutions; hidden: neurons between the linear layers; classes: outputs;
    input_shape: (channels, height, width), at least 12 pixels each way. Input (N, *input_shape), output (N, classes).
    """

    def __init__(self, channels=(16, 32), hidden=128, classes=10, input_shape=(1, 28, 28)):
        super().__init__()
        depth, height, width = input_shape
        first, second = channels
        # No bias before batch norm, which would take it out again.
        self.conv1 = nn.Conv2d(depth, first, 5, padding=2, bias=False)
        self.bn1 = nn.BatchNorm2d(first)
        self.conv2 = nn.Conv2d(first, second, 5, bias=False)
        self.bn2 = nn.BatchNorm2d(second)
        pixels = ((height // 2 - 4) // 2) * ((width // 2 - 4) // 2)
        self.fc1 = nn.Linear(second * pixels, hidden)
        self.fc2 = nn.Linear(hidden, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.max_pool2d(functional.relu(self.bn1(self.conv1(x))), 2)
        x = functional.max_pool2d(functional.relu(self.bn2(self.conv2(x))), 2)
        x = functional.relu(self.fc1(torch.flatten(x, 1)))
        return self.fc2(x)
