"""The networks that scorers are tried on: with batch norm and dropout, and with every kind of wiring."""

import pytest
import torch
from torch import nn
from torch.nn import functional


class Plain(nn.Module):
    """A convolution and two linear layers; batch norm behind each layer that can be pruned."""

    input_shape = (3, 8, 8)

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.bn = nn.BatchNorm2d(4)
        self.hidden = nn.Linear(64, 12)
        self.bn_hidden = nn.BatchNorm1d(12)
        self.dropout = nn.Dropout(0.5)
        self.answer = nn.Linear(12, 3)

    def forward(self, x):
        x = functional.max_pool2d(functional.relu(self.bn(self.conv(x))), 2)
        x = functional.relu(self.bn_hidden(self.hidden(self.dropout(x.flatten(1)))))
        return self.answer(self.dropout(x))


class Wired(nn.Module):
    """A residual, a depthwise convolution and a concatenation."""

    input_shape = (3, 8, 8)

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.bn_stem = nn.BatchNorm2d(4)
        self.block = nn.Conv2d(4, 4, 3, padding=1)
        self.bn_block = nn.BatchNorm2d(4)
        self.depthwise = nn.Conv2d(4, 4, 3, padding=1, groups=4)
        self.side = nn.Conv2d(4, 5, 1)
        self.bn_side = nn.BatchNorm2d(5)
        self.dropout = nn.Dropout(0.5)
        self.answer = nn.Linear(9, 3)

    def forward(self, x):
        x = functional.relu(self.bn_stem(self.stem(x)))
        x = self.depthwise(functional.relu(x + self.bn_block(self.block(x))))
        x = torch.cat([x, functional.relu(self.bn_side(self.side(x)))], 1)
        return self.answer(self.dropout(x.mean((2, 3))))


def lived_in(net: nn.Module) -> nn.Module:
    """The net with statistics, scales and biases that are not those of a fresh one, in training mode."""
    torch.manual_seed(0)
    net.apply(lambda m: m.reset_parameters() if hasattr(m, "reset_parameters") else None)
    for name, parameter in net.named_parameters():
        if "bn" in name:
            nn.init.uniform_(parameter, 0.5, 1.5)
        if "bn" in name and name.endswith("bias"):  # some units fire often, others seldom
            parameter.data = torch.linspace(-1, 1, len(parameter))
    net.train()
    with torch.no_grad():
        for _ in range(3):
            net(torch.randn(16, 3, 8, 8))
    return net


NETS = {"plain": Plain, "wired": Wired}


@pytest.fixture(autouse=True)
def one_thread():
    """On toys a second thread costs more than it gives, and much more on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(params=NETS)
def net(request):
    return lived_in(NETS[request.param]())


@pytest.fixture
def plain():
    return lived_in(Plain())


@pytest.fixture
def wired():
    return lived_in(Wired())


@pytest.fixture
def batches():
    """Two batches, the second a smaller one, of inputs and class numbers."""
    generator = torch.Generator().manual_seed(1)
    return [
        (torch.randn(n, 3, 8, 8, generator=generator), torch.randint(0, 3, (n,), generator=generator)) for n in (6, 2)
    ]
