"""Small networks of every wiring that pruning has to get right, with inputs for them."""

import torch
from torch import nn


def chain() -> nn.Module:
    """Neurons 3, 7 and 11 for the input (1, 1), and the answer 3 + 14 + 33 = 50."""
    net = nn.Sequential(nn.Linear(2, 3, bias=False), nn.Identity(), nn.Linear(3, 1, bias=False))
    net[0].weight.data = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    net[2].weight.data = torch.tensor([[1.0, 2.0, 3.0]])
    net.input_shape = (2,)
    return net


class Residual(nn.Module):
    """Two blocks whose outputs are added: stem, block1.conv2 and shortcut stand and fall together."""

    def __init__(self):
        super().__init__()
        self.stem, self.stem_bn = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8)
        self.conv1, self.bn1 = nn.Conv2d(8, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6)
        self.conv2, self.bn2 = nn.Conv2d(6, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8)
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        x = torch.relu(self.stem_bn(self.stem(x)))
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return self.head(torch.relu(x + y).mean((2, 3)))


class Concatenated(nn.Module):
    """Two branches side by side: the positions of the second begin where the first ends."""

    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 6, 3)
        self.both = nn.Conv2d(10, 7, 3)
        self.head = nn.Linear(7 * 4 * 4, 5)

    def forward(self, x):
        x = torch.cat([torch.relu(self.left(x)), torch.sigmoid(self.right(x))], 1)
        return self.head(torch.flatten(torch.relu(self.both(x)), 1))


class ConcatenatedAndAdded(nn.Module):
    """A concatenation added to a third layer: half of that layer goes with each branch."""

    def __init__(self):
        super().__init__()
        self.left, self.right, self.whole = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 6, 3), nn.Conv2d(3, 10, 3)
        self.head = nn.Linear(10, 5)

    def forward(self, x):
        both = torch.cat([self.left(x), self.right(x)], 1)
        return self.head(torch.relu(both + self.whole(x)).mean((2, 3)))


class FixedView(nn.Module):
    """A flatten whose size is written into the code: its channels cannot go."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2, self.head = nn.Conv2d(3, 6, 3), nn.Conv2d(6, 4, 3), nn.Linear(4 * 4 * 4, 5)

    def forward(self, x):
        x = torch.relu(self.conv2(torch.relu(self.conv1(x))))
        return self.head(x.view(-1, 4 * 4 * 4))


class Chunked(nn.Module):
    """Channels that the code splits down the middle."""

    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 8, 3), nn.Linear(4, 5)

    def forward(self, x):
        first, second = self.conv(x).chunk(2, 1)
        return self.head((first * torch.sigmoid(second)).mean((2, 3)))


class AddedToInput(nn.Module):
    """A layer whose output is added to the network's input, which never shrinks."""

    def __init__(self):
        super().__init__()
        self.conv, self.inner, self.head = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 6, 3), nn.Linear(6, 5)

    def forward(self, x):
        return self.head(self.inner(x + self.conv(x)).mean((2, 3)))


def lenet() -> nn.Module:
    """Convolutions, batch norm, pooling, a flatten with 4 x 4 positions a channel, dropout."""
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8, affine=False), nn.ReLU(),
        nn.Flatten(), nn.Dropout(0.5), nn.Linear(8 * 4 * 4, 12), nn.ReLU(), nn.Linear(12, 5),
    )  # fmt: skip


def sigmoid_mlp() -> nn.Module:
    """A masked unit gives sigmoid(0) = 0.5 here, and GELU and a bias come after."""
    return nn.Sequential(nn.Linear(6, 8), nn.Sigmoid(), nn.Linear(8, 7), nn.GELU(), nn.Dropout(), nn.Linear(7, 3))


def separable() -> nn.Module:
    """Depthwise convolutions, one filter a channel, with PReLU slopes of their own."""
    return nn.Sequential(
        nn.Conv2d(3, 6, 1), nn.PReLU(6), nn.Conv2d(6, 6, 3, groups=6), nn.BatchNorm2d(6), nn.ReLU6(),
        nn.Conv2d(6, 9, 1), nn.PReLU(), nn.Conv2d(9, 9, 3, groups=9), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(9, 5),
    )  # fmt: skip


def upsampling() -> nn.Module:
    """Transposed convolutions, whose weights have inputs first, with normalisation of single channels."""
    return nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.InstanceNorm2d(6, affine=True), nn.ConvTranspose2d(6, 8, 3, stride=2), nn.SiLU(),
        nn.GroupNorm(8, 8), nn.ConvTranspose2d(8, 2, 3),
    )  # fmt: skip


def one_dimensional() -> nn.Module:
    return nn.Sequential(nn.Conv1d(2, 6, 3), nn.BatchNorm1d(6), nn.Tanh(), nn.Conv1d(6, 4, 3), nn.Flatten(),
                         nn.Linear(4 * 4, 3))  # fmt: skip


def layer_norm_mlp() -> nn.Module:
    """Normalises over the very features that are pruned: equal outputs are impossible."""
    return nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8), nn.ReLU(), nn.Linear(8, 7), nn.ReLU(), nn.Linear(7, 3))


IMAGES, FEATURES, SEQUENCES = (3, 8, 8), (6,), (2, 8)

# Every one of these can be pruned in all groups but the last, with equal outputs.
EXACT = {
    "lenet": (lenet, IMAGES),
    "residual": (Residual, IMAGES),
    "concatenated": (Concatenated, IMAGES),
    "concatenated and added": (ConcatenatedAndAdded, IMAGES),
    "separable": (separable, IMAGES),
    "upsampling": (upsampling, IMAGES),
    "one-dimensional": (one_dimensional, SEQUENCES),
    "mlp with sigmoid": (sigmoid_mlp, FEATURES),
}


def ready(make, shape: tuple[int, ...], batch: int = 4) -> tuple[nn.Module, torch.Tensor]:
    """A network in eval mode with batch norm that has seen data (statistics, scales, shifts), and inputs for it."""
    torch.manual_seed(0)
    model, inputs = make(), torch.randn(batch, *shape)
    lived_in(model)
    return model.eval(), inputs


def lived_in(model: nn.Module) -> nn.Module:
    """Give normalisation layers the values of a trained network: with fresh ones many mistakes would not show."""
    for module in model.modules():
        for name in ("weight", "bias", "running_mean", "running_var"):
            tensor = getattr(module, name, None)
            if isinstance(tensor, torch.Tensor) and tensor.dim() == 1:
                tensor.data.copy_(torch.rand_like(tensor) + 0.5 if name != "bias" else torch.randn_like(tensor))
    return model


def relative_difference(one: torch.Tensor, other: torch.Tensor) -> float:
    """The largest absolute difference over the largest absolute value."""
    one, other = one.detach(), other.detach()
    return float((one - other).abs().max() / one.abs().max().clamp_min(1e-12))
