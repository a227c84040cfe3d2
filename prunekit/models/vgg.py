"""A VGG (Simonyan and Zisserman, 2015) for small images: 3x3 convolutions with batch norm, in stages."""

import torch
from torch import nn
from torch.nn import functional


class VGG(nn.Module):
    """A plain CNN for images of about 32 pixels, with one linear layer in place of the three wide ones of the paper.

    stages: the channels of each stage's convolutions; between two stages the image is halved by max pooling;
    classes: outputs; input_shape: (channels, height, width). Input (N, *input_shape), output (N, classes).
    Raises ValueError for a stage without a convolution or a convolution without a channel.
    """

    def __init__(self, stages=((48, 48), (128, 128), (256, 256), (256, 256)), classes=10, input_shape=(3, 32, 32)):
        super().__init__()
        if not stages or not all(stage and all(after >= 1 for after in stage) for stage in stages):
            raise ValueError("every stage needs a convolution, and every convolution a channel")
        before = input_shape[0]
        self.plan = []
        for i, stage in enumerate(stages, 1):
            for j, after in enumerate(stage, 1):
                # No bias before batch norm, which would take it out again.
                self.add_module(f"conv{i}_{j}", nn.Conv2d(before, after, 3, padding=1, bias=False))
                self.add_module(f"bn{i}_{j}", nn.BatchNorm2d(after))
                self.plan.append((f"{i}_{j}", i > 1 and j == 1))
                before = after
        self.fc = nn.Linear(before, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for name, halved in self.plan:
            x = functional.max_pool2d(x, 2) if halved else x
            x = functional.relu(self.get_submodule(f"bn{name}")(self.get_submodule(f"conv{name}")(x)))
        return self.fc(torch.flatten(functional.adaptive_avg_pool2d(x, 1), 1))
