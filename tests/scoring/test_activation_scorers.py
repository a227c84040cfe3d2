"""Scorers that look at activations, by hand and against numbers counted another way."""

import numpy as np
import pytest
import torch
from torch import nn

from prunekit.scoring import score
from prunekit.structure.groups import channel_groups


def chain(between: nn.Module) -> nn.Module:
    """Neurons 3, -7 and 11 for the input (1, 1); they are read by 1, 2 and -3."""
    net = nn.Sequential(nn.Linear(2, 3, bias=False), between, nn.Linear(3, 1, bias=False))
    net[0].weight.data = torch.tensor([[1.0, 2.0], [-3.0, -4.0], [5.0, 6.0]])
    net[2].weight.data = torch.tensor([[1.0, 2.0, -3.0]])
    net.input_shape = (2,)
    return net


def batch(*inputs: list[float]) -> list:
    return [(torch.tensor(inputs), torch.zeros(len(inputs), 1))]


def channels(net: nn.Module, scorer: str, calibration, **knobs) -> list[float]:
    return score(net, scorer, granularity="channel", calibration=calibration, **knobs)["0"].tolist()


def test_wanda_of_a_weight_is_its_size_times_the_root_mean_square_of_its_input():
    scores = score(chain(nn.Identity()), "wanda", calibration=batch([3.0, 0.0], [-3.0, 4.0]))
    assert torch.allclose(
        scores["0.weight"], torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]) * torch.tensor([3.0, 8**0.5])
    )


def test_wanda_of_a_neuron_is_that_of_what_reads_it():
    assert channels(chain(nn.Identity()), "wanda", batch([1.0, 1.0], [-1.0, -1.0])) == pytest.approx([3, 14, 33])


def test_wanda_is_the_root_mean_square_of_what_a_weight_adds_to_its_output(net, batches):
    seen = {}
    layers = {n: m for n, m in net.named_modules() if isinstance(m, nn.Linear)}
    handles = [
        m.register_forward_pre_hook(lambda _m, x, n=n: seen.setdefault(n, []).append(x[0])) for n, m in layers.items()
    ]
    with torch.no_grad():
        for inputs, _targets in batches:
            net.eval()(inputs)
    for handle in handles:
        handle.remove()
    scores = score(net, "wanda", calibration=batches)
    for name, layer in layers.items():
        terms = layer.weight.detach()[None] * torch.cat(seen[name])[:, None]
        assert torch.allclose(scores[f"{name}.weight"], terms.square().mean(0).sqrt(), rtol=1e-4)


def test_activity_is_how_often_a_neuron_is_above_zero():
    calibration = batch([1.0, 1.0], [-1.0, -1.0], [1.0, 0.0], [0.0, 0.0])
    assert channels(chain(nn.ReLU()), "activity", calibration) == [0.5, 0.25, 0.5]


IMAGE = [(torch.tensor([[1.0, 2.0], [3.0, -1.0]]).reshape(1, 1, 2, 2), torch.zeros(1))]


def two_maps(*behind: nn.Module) -> nn.Module:
    """A channel that is above zero at three of the four places of the image, and one that is at the fourth."""
    net = nn.Sequential(nn.Conv2d(1, 2, 1, bias=False), *behind)
    net[0].weight.data = torch.tensor([1.0, -1.0]).reshape(2, 1, 1, 1)
    net.input_shape = (1, 2, 2)
    return net


@pytest.mark.parametrize(
    "behind",
    [
        (nn.ReLU(), nn.Conv2d(2, 1, 1)),
        (nn.ReLU(), nn.Flatten(), nn.Linear(8, 1)),
        (nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 1)),
        (nn.BatchNorm2d(2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 1)),
    ],
)
def test_activity_counts_the_places_of_an_image_whatever_reads_it(behind):
    assert channels(two_maps(*behind), "activity", IMAGE) == [0.75, 0.25]


def test_activity_looks_behind_the_batch_norm():
    norm = nn.BatchNorm2d(2)
    norm.bias.data = torch.tensor([-2.5, 5.0])
    assert channels(
        two_maps(norm, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 1)), "activity", IMAGE
    ) == [0.25, 1]


def test_activity_is_one_less_the_zeros_behind_the_relu(plain, batches):
    plain.eval()
    with torch.no_grad():
        inputs = torch.cat([inputs for inputs, _targets in batches])
        maps = torch.max_pool2d(torch.relu(plain.bn(plain.conv(inputs))), 2)
        hidden = torch.relu(plain.bn_hidden(plain.hidden(maps.flatten(1))))
    scores = score(plain, "activity", granularity="channel", calibration=batches)
    assert torch.allclose(scores["conv"], 1 - (maps == 0).float().mean((0, 2, 3)))
    assert torch.allclose(scores["hidden"], 1 - (hidden == 0).float().mean(0))


def test_a_neuron_that_is_now_this_now_that_has_one_bit_and_a_constant_one_none():
    net = chain(nn.Identity())
    net[0].weight.data = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    calibration = batch([0.0, 0.0], [1.0, 1.0], [0.0, 2.0], [1.0, 3.0])
    assert channels(net, "entropy", calibration, bins=4) == [1, 2, 0]
    assert channels(net, "entropy", calibration, bins=2) == [1, 1, 0]


def test_entropy_is_that_of_numpy_s_histogram(net, batches):
    scores = score(net, "entropy", granularity="channel", calibration=batches, bins=5)
    groups = {g.name: g for g in channel_groups(net) if g.prunable}
    inputs = torch.cat([inputs for inputs, _targets in batches])
    seen = {}
    handles = [
        net.get_submodule(m.layer).register_forward_pre_hook(lambda _m, x, n=m.layer: seen.__setitem__(n, x[0]))
        for group in groups.values()
        for m in group.consumers
    ]
    with torch.no_grad():
        net.eval()(inputs)
    for handle in handles:
        handle.remove()
    for name, group in groups.items():
        wanted = np.zeros(group.units)
        for member in group.consumers:
            values = seen[member.layer].flatten(2).mean(2) if seen[member.layer].dim() == 4 else seen[member.layer]
            bits = np.array([bits_of(column) for column in values.numpy().T])
            wanted += bits[member.positions.numpy()].mean(1) / len(group.consumers)
        assert scores[name].tolist() == pytest.approx(wanted.tolist(), abs=1e-5)


def bits_of(values: np.ndarray) -> float:
    counts, _edges = np.histogram(values, bins=5)
    shares = counts[counts > 0] / len(values)
    return float(-(shares * np.log2(shares)).sum()) if np.ptp(values) else 0.0


def test_what_is_read_twice_is_read_with_all_that_both_calls_were_given():
    class Twice(nn.Module):
        input_shape = (2,)

        def __init__(self):
            super().__init__()
            self.first = nn.Linear(2, 2, bias=False)
            self.second = nn.Linear(2, 2, bias=False)

        def forward(self, x):
            return self.second(self.second(self.first(x)))

    net = Twice()
    for layer in (net.first, net.second):
        layer.weight.data = torch.eye(2) * 3
    scores = score(net, "wanda", calibration=batch([1.0, 2.0]))
    mean_square = (torch.tensor([3.0, 6.0]).square() + torch.tensor([9.0, 18.0]).square()) / 2
    assert torch.allclose(scores["second.weight"], torch.eye(2) * 3 * mean_square.sqrt())
