"""Peak memory, on networks whose tensors can be counted by hand."""

import torch
from torch import nn

from prunekit.measurement import peak_memory_bytes

FLOAT = 4


def test_a_chain_holds_two_activations_at_a_time():
    # At each ReLU: the given input, the tensor it reads and the one it writes, 100 numbers each.
    model = nn.Sequential(*[nn.ReLU() for _turn in range(5)])
    assert peak_memory_bytes(model, torch.zeros(10, 10)) == 3 * 100 * FLOAT


def test_parameters_and_buffers_are_always_there():
    bn = nn.BatchNorm1d(10)  # 4 x 10 numbers and a counter of 8 bytes
    assert peak_memory_bytes(bn, torch.zeros(5, 10)) == (40 + 50 + 50) * FLOAT + 8


def test_a_view_takes_no_memory_and_working_in_place_neither():
    model = nn.Sequential(nn.Flatten(), nn.Unflatten(1, (5, 2)), nn.Flatten())
    assert peak_memory_bytes(model, torch.zeros(10, 10)) == 100 * FLOAT
    assert peak_memory_bytes(nn.ReLU(inplace=True), torch.zeros(10, 10)) == 100 * FLOAT


def test_a_shortcut_keeps_its_tensor_alive():
    class Shortcut(nn.Module):
        def forward(self, x):
            y = torch.relu(x)
            z = torch.relu(torch.relu(torch.relu(y)))
            return y + z

    # x, y, and at the most two more: the one read and the one written.
    assert peak_memory_bytes(Shortcut(), torch.zeros(10, 10)) == 4 * 100 * FLOAT


def test_the_same_number_every_time():
    model, inputs = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 4, 3)), torch.zeros(2, 3, 12, 12)
    assert len({peak_memory_bytes(model, inputs) for _turn in range(5)}) == 1
