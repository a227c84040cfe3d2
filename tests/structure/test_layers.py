"""Layers and their multiply-accumulates, against a hand count and against PyTorch's own FLOP counter."""

import pytest
import torch
import torchvision
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from prunekit.core.errors import CannotPrune
from prunekit.structure import count_macs, layers
from tests.toy_networks import EXACT, ready


def counted_by_pytorch(model, inputs) -> int:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(inputs)
    return counter.get_total_flops() // 2 // len(inputs)


def test_macs_of_a_convolution_and_a_linear_layer_by_hand():
    # 4 filters of 3 * 2 * 2 weights at 3 * 3 positions, then 36 * 5.
    model = nn.Sequential(nn.Conv2d(3, 4, 2), nn.ReLU(), nn.Flatten(), nn.Linear(36, 5))
    assert count_macs(model, torch.zeros(7, 3, 4, 4)) == 4 * 12 * 9 + 36 * 5


@pytest.mark.parametrize("name", EXACT)
def test_macs_are_half_of_pytorchs_flops(name):
    model, inputs = ready(*EXACT[name])
    assert count_macs(model, inputs) == counted_by_pytorch(model, inputs) > 0


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2"])
def test_macs_of_known_networks_are_half_of_pytorchs_flops(name):
    model, inputs = torchvision.models.get_model(name, weights=None).eval(), torch.zeros(1, 3, 64, 64)
    assert count_macs(model, inputs) == counted_by_pytorch(model, inputs)


def test_a_layer_called_twice_costs_twice():
    layer = nn.Linear(4, 4)
    assert count_macs(nn.Sequential(layer, nn.ReLU(), layer), torch.zeros(2, 4)) == 32


def test_layers_come_in_the_order_in_which_they_run():
    class Backwards(nn.Module):
        def __init__(self):
            super().__init__()
            self.idle, self.last, self.first = nn.Linear(2, 2), nn.Linear(3, 2), nn.Linear(4, 3)

        def forward(self, x):
            return self.last(self.first(x))

    found = layers(Backwards(), torch.zeros(1, 4))
    assert [layer.name for layer in found] == ["first", "last", "idle"]
    first, _last, idle = found
    assert (first.kind, first.shape, first.output_shape) == ("Linear", (3, 4), (3,))
    assert (first.parameters, first.macs, first.prunable, first.reason) == (15, 12, True, "")
    assert (idle.macs, idle.output_shape, idle.prunable) == (0, (), False)
    assert "does not call" in idle.reason


def test_a_batch_norm_says_why_it_is_not_pruned():
    bn = layers(nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)), torch.zeros(2, 3, 2, 2))[1]
    assert not bn.prunable
    assert "follows its neighbours" in bn.reason


def test_inputs_that_do_not_fit_are_one_sentence():
    with pytest.raises(CannotPrune, match="does not run on the example inputs"):
        layers(nn.Linear(4, 2), torch.zeros(1, 3))


def test_counting_leaves_mode_hooks_and_statistics_alone():
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)).train()
    calls = []
    model[0].register_forward_hook(lambda *_: calls.append(1))
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    count_macs(model, torch.randn(2, 3, 2, 2))
    assert model.training
    assert model[1].training
    assert len(model[0]._forward_hooks) == 1
    assert not calls
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
