"""Scorers that look at activations, by hand and against numbers counted another way."""

import numpy as np
import pytest
import torch
from torch import nn

from prunekit.core.errors import CannotScore
from prunekit.scoring import score


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


def test_firing_is_how_often_a_neuron_is_above_zero():
    calibration = batch([1.0, 1.0], [-1.0, -1.0], [1.0, 0.0], [0.0, 0.0])
    assert channels(chain(nn.ReLU()), "firing", calibration) == [0.5, 0.25, 0.5]


class Permuted(nn.Module):
    """Channels last, as transformers for images have them: a linear layer then reads every place by itself."""

    def forward(self, x):
        return x.permute(0, 2, 3, 1)


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
        (nn.ReLU(), Permuted(), nn.Linear(2, 1)),
    ],
)
def test_firing_counts_the_places_of_an_image_whatever_reads_it(behind):
    assert channels(two_maps(*behind), "firing", IMAGE) == [0.75, 0.25]


@pytest.mark.parametrize("norm", [nn.BatchNorm2d(2), nn.InstanceNorm2d(2, affine=True, track_running_stats=True)])
def test_firing_looks_behind_the_normalisation(norm):
    norm.bias.data = torch.tensor([-2.5, 5.0])
    assert channels(
        two_maps(norm, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 1)), "firing", IMAGE
    ) == [0.25, 1]


def test_firing_is_one_less_the_zeros_behind_the_relu(plain, batches):
    plain.eval()
    with torch.no_grad():
        inputs = torch.cat([inputs for inputs, _targets in batches])
        maps = torch.max_pool2d(torch.relu(plain.bn(plain.conv(inputs))), 2)
        hidden = torch.relu(plain.bn_hidden(plain.hidden(maps.flatten(1))))
    scores = score(plain, "firing", granularity="channel", calibration=batches)
    assert torch.allclose(scores["conv"], 1 - (maps == 0).float().mean((0, 2, 3)))
    assert torch.allclose(scores["hidden"], 1 - (hidden == 0).float().mean(0))


def test_a_neuron_that_is_now_this_now_that_has_one_bit_and_a_constant_one_none():
    net = chain(nn.Identity())
    net[0].weight.data = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    calibration = batch([0.0, 0.0], [1.0, 1.0], [0.0, 2.0], [1.0, 3.0])
    assert channels(net, "entropy", calibration, bins=4) == [1, 2, 0]
    assert channels(net, "entropy", calibration, bins=2) == [1, 1, 0]


def test_entropy_is_that_of_numpy_s_histogram(plain, batches):
    scores = score(plain, "entropy", granularity="channel", calibration=batches, bins=5)
    inputs = torch.cat([inputs for inputs, _targets in batches])
    plain.eval()
    with torch.no_grad():
        maps = torch.max_pool2d(torch.relu(plain.bn(plain.conv(inputs))), 2)
        hidden = torch.relu(plain.bn_hidden(plain.hidden(maps.flatten(1))))
    for name, values in (("conv", maps.mean((2, 3))), ("hidden", hidden)):
        assert scores[name].tolist() == pytest.approx([bits_of(column) for column in values.numpy().T], abs=1e-5)


def test_what_differs_in_places_alone_says_nothing_by_its_mean_whatever_reads_it():
    images = torch.tensor([[0.0, 1.0], [1.0, 0.0]]).reshape(2, 1, 1, 2)
    for behind in ((nn.Flatten(), nn.Linear(2, 1)), (nn.Conv2d(1, 1, 1),)):
        net = nn.Sequential(nn.Conv2d(1, 1, 1, bias=False), nn.ReLU(), *behind)
        net[0].weight.data.fill_(1.0)
        net.input_shape = (1, 1, 2)
        assert channels(net, "entropy", [(images, torch.zeros(2))]) == [0]


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


@pytest.mark.parametrize("scorer", ["contribution", "wanda"])
def test_an_example_needs_no_batch_axis(scorer):
    net = nn.Linear(2, 1, bias=False)
    net.weight.data.fill_(1.0)
    alone = score(net, scorer, calibration=[(torch.tensor([3.0, 4.0]), torch.tensor(0.0))])
    assert torch.equal(alone["weight"], score(net, scorer, calibration=batch([3.0, 4.0]))["weight"])


class Attention(nn.Module):
    """Its output projection is used without being called."""

    input_shape = (3, 4)

    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
        self.answer = nn.Linear(4, 2)

    def forward(self, x):
        return self.answer(self.attention(x, x, x)[0].mean(1))


@pytest.mark.parametrize("scorer", ["contribution", "wanda"])
def test_a_layer_whose_weights_are_used_without_it_is_named_not_taken_for_a_useless_one(scorer):
    with pytest.raises(CannotScore, match=r"What attention\.out_proj reads cannot be seen"):
        score(Attention(), scorer, calibration=[(torch.randn(2, 3, 4), torch.zeros(2, dtype=torch.long))])


def test_activations_that_are_not_finite_are_refused_with_the_layer(plain, batches):
    batches[0][0][0, 0, 0, 0] = torch.nan
    for scorer in ("firing", "entropy"):
        with pytest.raises(CannotScore, match="activations at conv are not finite"):
            score(plain, scorer, granularity="channel", calibration=batches)
