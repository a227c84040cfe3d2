"""ResNets for small images (He et al., 2016, section 4.2): 3 stages of n blocks, 6n + 2 layers deep."""

import torch
from torch import nn
from torch.nn import functional

STAGES = 3


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut, which is a 1x1 convolution where the shape changes.

    Input (N, before, H, W), output (N, after, H / stride, W / stride).
    """

    def __init__(self, before: int, after: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        same = before == after and stride == 1
        # The paper pads with zeros here; a convolution costs little and lets channels be removed.
        self.shortcut = (
            nn.Identity()
            if same
            else nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


class ResNet(nn.Module):
    """A residual network for images of about 32 pixels.

    depth: 6n + 2, so 20, 32, 44, 56, ...; width: channels of the first stage, doubled in each later one;
    classes: outputs; input_shape: (channels, height, width). Input (N, *input_shape), output (N, classes).
    Raises ValueError for another depth, or no width.
    """

    def __init__(self, depth=20, width=16, classes=10, input_shape=(3, 32, 32)):
        super().__init__()
        blocks, rest = divmod(depth - 2, 2 * STAGES)
        if rest or blocks < 1:
            raise ValueError(f"the depth must be 6n + 2, as 20 or 56, not {depth}")
        if width < 1:
            raise ValueError(f"the width must be at least 1, not {width}")
        self.conv1 = nn.Conv2d(input_shape[0], width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        before, stages = width, []
        for stage in range(STAGES):
            after = width * 2**stage
            stages.append(
                [BasicBlock(before if i == 0 else after, after, 2 if stage and i == 0 else 1) for i in range(blocks)]
            )
            before = after
        self.layer1, self.layer2, self.layer3 = (nn.Sequential(*stage) for stage in stages)
        self.fc = nn.Linear(before, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(torch.flatten(functional.adaptive_avg_pool2d(x, 1), 1))


def deepen(deep: ResNet, shallow: ResNet) -> None:
    """Makes `deep` answer as `shallow`, one of fewer blocks and the same width: the blocks of `shallow` are spread
    over it, and those between them add nothing yet, since their last batch norm begins at zero.

    After Net2Net (Chen et al., 2016). Raises RuntimeError where the widths or the classes differ, ValueError where
    `deep` has not a whole multiple of the blocks.
    """
    stages = {name: part for name, part in shallow.named_children() if isinstance(part, nn.Sequential)}
    for name, part in stages.items():
        if len(getattr(deep, name)) % len(part):
            raise ValueError(f"{len(getattr(deep, name))} blocks are no multiple of {len(part)}")
    for name, part in shallow.named_children():
        if name not in stages:
            getattr(deep, name).load_state_dict(part.state_dict())
            continue
        apart = len(getattr(deep, name)) // len(part)
        for place, block in enumerate(getattr(deep, name)):
            if place % apart == 0:
                block.load_state_dict(part[place // apart].state_dict())
            else:
                nn.init.zeros_(block.bn2.weight)
                nn.init.zeros_(block.bn2.bias)
