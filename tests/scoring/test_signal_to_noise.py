"""The scorer that disturbs the inputs, by hand and against a disturbance of its own."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from prunekit.core.errors import BadSetting, CannotScore
from prunekit.scoring import score
from prunekit.scoring.disturbance import answers_to_disturbance

MANY = 4000


def shares(net, inputs, **knobs) -> dict[str, torch.Tensor]:
    return dict(score(net, "signal_to_noise", granularity="channel", calibration=[(inputs, None)], **knobs))


def three_neurons() -> nn.Module:
    """One that follows its input, one that is constant, and a step that a little noise seldom reaches."""
    net = nn.Sequential(nn.Linear(1, 3), nn.Tanh(), nn.Linear(3, 1))
    net[0].weight.data = torch.tensor([[0.001], [0.0], [1000.0]])
    net[0].bias.data = torch.tensor([0.0, 0.5, 0.0])
    net.input_shape = (1,)
    return net


@pytest.mark.parametrize("level", [0.1, 1.0])
def test_what_follows_the_inputs_is_as_noisy_as_they_are_and_a_constant_says_nothing(level):
    generator = torch.Generator().manual_seed(0)
    inputs = 7 * torch.randn(MANY, 1, generator=generator)
    follower, constant, step = shares(three_neurons(), inputs, level=level)["0"].tolist()
    assert follower == pytest.approx(1 / (1 + level**2), rel=0.03)
    assert constant == 0
    # A sign flips with probability atan(level) / pi, which changes it by 2.
    flips = 4 * torch.tensor(level).atan().item() / torch.pi
    assert step == pytest.approx(1 / (1 + flips), rel=0.05)


def test_a_layer_of_dead_neurons_scores_zero():
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
    net[0].bias.data.fill_(-100.0)
    net.input_shape = (2,)
    assert torch.equal(shares(net, torch.randn(8, 2))["0"], torch.zeros(2))


def test_it_is_the_variance_and_the_change_of_what_the_readers_see(plain):
    net, level = plain.eval(), 0.5
    generator = torch.Generator().manual_seed(5)
    inputs = torch.randn(4000, 3, 8, 8, generator=generator)
    found = shares(net, inputs, level=level)

    def read(x):
        first = functional.max_pool2d(functional.relu(net.bn(net.conv(x))), 2)
        return first, functional.relu(net.bn_hidden(net.hidden(first.flatten(1))))

    with torch.no_grad():
        clean = read(inputs)
        noisy = read(inputs + level * inputs.std() * torch.randn(inputs.shape, generator=generator))
    # Behind the flatten, each place is a feature of its own.
    for name, before, after in zip(("conv", "hidden"), clean, noisy, strict=True):
        signal, noise = before.var(0), (after - before).square().mean(0)
        wanted = (signal / (signal + noise).clamp_min(1e-30)).reshape(len(found[name]), -1).mean(1)
        often = (before > 0).float().mean(0).reshape(len(found[name]), -1).mean(1) > 0.1  # the rest is luck
        assert often.sum() > 2
        assert torch.allclose(found[name][often], wanted[often], atol=0.03)
        assert found[name].max() - found[name].min() > 0.1, "nothing here tells the units apart"


def test_another_seed_draws_another_disturbance(plain):
    inputs = torch.randn(8, 3, 8, 8)
    one, other = (shares(plain, inputs, seed=seed)["conv"] for seed in (0, 1))
    assert not torch.equal(one, other)
    assert torch.allclose(one, other, atol=0.05)


def test_inputs_that_are_no_measures_cannot_be_disturbed():
    net = nn.Sequential(nn.Embedding(10, 4), nn.Flatten(), nn.Linear(8, 3), nn.ReLU(), nn.Linear(3, 2))
    words = torch.randint(10, (4, 2))
    with pytest.raises(CannotScore, match="not measures"):
        score(net, "signal_to_noise", granularity="channel", calibration=[(words, None)], example_inputs=words)


def test_words_with_a_mask_of_ones_are_no_measures_either():
    class Masked(nn.Module):
        def __init__(self):
            super().__init__()
            self.words, self.hidden, self.answer = nn.Embedding(10, 4), nn.Linear(4, 3), nn.Linear(3, 2)

        def forward(self, words, mask):
            return self.answer(functional.relu(self.hidden((self.words(words) * mask[..., None]).mean(1))))

    given = (torch.randint(10, (4, 5)), torch.ones(4, 5))
    with pytest.raises(CannotScore, match="not measures"):
        score(Masked(), "signal_to_noise", granularity="channel", calibration=[(given, None)], example_inputs=given)


def test_the_noise_of_an_example_is_its_own_however_the_set_is_split():
    net = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 2))
    net.input_shape = (5,)
    x = torch.randn(100, 5)  # five numbers: no multiple of what is drawn at once
    parts = [[(x, None)], [(x[:60], None), (x[60:], None)], [(one, None) for one in x.split(7)]]
    one, *others = (score(net, "signal_to_noise", granularity="channel", calibration=part)["0"] for part in parts)
    assert all(torch.allclose(one, other, rtol=1e-5) for other in others)


class Early(nn.Module):
    """Asks its second layer only where the inputs are large."""

    input_shape = (2,)

    def __init__(self, over):
        super().__init__()
        self.over = over
        self.first, self.second, self.answer = nn.Linear(2, 3), nn.Linear(3, 3), nn.Linear(3, 2)

    def forward(self, x):
        hidden = functional.relu(self.first(x))
        if (x.square().sum() > self.over).item():
            hidden = hidden + self.second(hidden)
        return self.answer(hidden)


def test_a_network_that_runs_otherwise_with_noise_is_refused():
    x = torch.randn(50, 2, generator=torch.Generator().manual_seed(0))
    size = x.square().sum().item()
    layers = ["first", "second", "answer"]
    for over in (1.05 * size, 0.0):
        net = Early(over).eval()
        if over:
            with pytest.raises(CannotScore, match="calls second more or less often"):
                answers_to_disturbance(net, layers, [x], 1.0, 0, lambda: None)
        else:
            assert set(answers_to_disturbance(net, layers, [x], 1.0, 0, lambda: None)) == set(layers)


def test_no_disturbance_is_none_to_measure():
    with pytest.raises(BadSetting, match="Noise must be between"):
        shares(three_neurons(), torch.randn(4, 1), level=0)
