"""Scorers that look at what comes back from the loss, by hand and against really disturbing a unit a little."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from prunekit.core.tasks import REGRESSION
from prunekit.scoring import score
from prunekit.structure.groups import channel_groups
from tests.toy_networks import chain


def error_terms(net, inputs, wanted, **knobs) -> list[float]:
    (found,) = score(
        net, "error_term", granularity="channel", calibration=[(inputs, wanted)], task=REGRESSION, **knobs
    ).values()
    return found.tolist()


def test_the_error_term_of_a_neuron_is_what_comes_back_to_it_as_a_share_of_its_layer():
    # dL/da is 2 * 50 * (1, 2, 3).
    assert error_terms(chain(), torch.ones(1, 2), torch.zeros(1, 1)) == pytest.approx([1 / 6, 2 / 6, 3 / 6])


def test_error_terms_of_examples_do_not_cancel_out():
    net = chain()
    net[2].weight.data = torch.tensor([[1.0, 2.0, -3.0]])  # the answer is -16
    inputs, wanted = torch.ones(2, 2), torch.tensor([[-16.0 + 5], [-16.0 - 5]])
    assert error_terms(net, inputs, wanted) == pytest.approx([1 / 6, 2 / 6, 3 / 6])


def test_by_variance_what_is_the_same_for_all_examples_counts_for_nothing():
    net = chain()
    wanted = torch.tensor([[50.0 - 1], [50.0 - 3]])  # error terms (2, 6) times (1, 2, 3), whose variance is 4 times ...
    found = error_terms(net, torch.ones(2, 2), wanted, measure="variance")
    assert found == pytest.approx([1 / 14, 4 / 14, 9 / 14])
    assert error_terms(net, torch.ones(2, 2), torch.full((2, 1), 49.0), measure="variance") == [0, 0, 0]


def test_of_a_channel_the_error_terms_of_all_its_places_are_one():
    net = nn.Sequential(nn.Conv2d(1, 2, 1, bias=False), nn.Flatten(), nn.Linear(4, 1, bias=False))
    net[2].weight.data = torch.tensor([[3.0, -2.0, 4.0, 4.0]])  # two places of each channel: 1 and 8, not 5 and 8
    net.input_shape = (1, 1, 2)
    found = error_terms(net, torch.ones(1, 1, 1, 2), torch.full((1, 1), 1000.0))
    assert found == pytest.approx([1 / 9, 8 / 9])


def test_a_dead_layer_has_no_errors_to_share():
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
    net[0].bias.data.fill_(-100.0)
    net.input_shape = (2,)
    assert error_terms(net, torch.ones(3, 2), torch.zeros(3, 1)) == [0, 0]


def test_the_error_term_is_the_loss_that_a_little_more_of_a_unit_costs_each_example(plain, batches):
    net = plain.double().eval()
    batches = [(inputs.double(), targets) for inputs, targets in batches]
    inputs, targets = (torch.cat(parts) for parts in zip(*batches, strict=True))
    little = 1e-6
    for measure in ("size", "variance"):
        scores = score(net, "error_term", granularity="channel", calibration=batches, measure=measure)
        for name, behind in (("conv", net.bn), ("hidden", net.bn_hidden)):
            wanted = []
            for unit in range(len(behind.bias)):
                losses = []
                for sign in (-1, 1):
                    behind.bias.data[unit] += sign * little
                    losses.append(functional.cross_entropy(net(inputs), targets, reduction="none").detach())
                    behind.bias.data[unit] -= sign * little
                slope = (losses[1] - losses[0]) / (2 * little)
                wanted.append(slope.abs().mean() if measure == "size" else slope.var(correction=0))
            wanted = torch.stack(wanted) / sum(wanted)
            assert torch.allclose(scores[name].double(), wanted, rtol=1e-3, atol=1e-6)


def test_coupled_layers_add_up_their_shares(batches):
    class Two(nn.Module):
        input_shape = (3, 8, 8)

        def __init__(self):
            super().__init__()
            self.one, self.other, self.answer = nn.Conv2d(3, 4, 1), nn.Conv2d(3, 4, 1), nn.Linear(4, 3)

        def forward(self, x):
            return self.answer(functional.relu(self.one(x) + self.other(x)).mean((2, 3)))

    torch.manual_seed(0)
    (found,) = score(Two(), "error_term", granularity="channel", calibration=batches).values()
    assert found.sum().item() == pytest.approx(2)


class Added(nn.Module):
    """Two layers make the channels together; only the first has a normalisation of its own."""

    input_shape = (3, 8, 8)

    def __init__(self):
        super().__init__()
        self.one, self.bn, self.other = nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 1)
        self.answer = nn.Linear(4, 3)

    def forward(self, x):
        x = functional.relu(self.bn(self.one(x)))
        return self.answer((x + self.other(x)).mean((2, 3)))


def test_a_layer_without_normalisation_counts_beside_one_that_has_its_own(batches):
    torch.manual_seed(0)
    (found,) = score(Added().eval(), "error_term", granularity="channel", calibration=batches).values()
    assert found.sum().item() == pytest.approx(2)


@pytest.mark.parametrize("inplace", [False, True])
def test_a_normalisation_behind_the_nonlinearity_is_not_taken_for_the_layer_s_own(batches, inplace):
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 4, 1), nn.ReLU(inplace), nn.BatchNorm2d(4), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)
    ).eval()
    net.input_shape = (3, 8, 8)
    net[0].bias.data[0] = -100.0  # never fires
    (found,) = score(net, "error_term", granularity="channel", calibration=batches).values()
    assert found[0] == 0
    assert found[1:].min() > 0


@pytest.mark.parametrize("name", ["error_term", "contribution_weighted"])
@pytest.mark.parametrize("first", [nn.BatchNorm2d(3, affine=False), nn.InstanceNorm2d(3)])
def test_inputs_may_be_normalised_by_a_layer_without_weights(batches, name, first):
    torch.manual_seed(0)
    net = nn.Sequential(first, nn.Conv2d(3, 4, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    net.input_shape = (3, 8, 8)
    (found,) = score(net.eval(), name, granularity="channel", calibration=batches).values()
    assert found.max() > 0


@pytest.mark.parametrize("name", ["error_term", "contribution_weighted", "measured_loss"])
def test_an_example_without_a_batch_axis_is_one_example(name):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(40, 5), nn.ReLU(), nn.Linear(5, 3))
    net.input_shape = (40,)
    x, y = torch.randn(20, 40), torch.randint(3, (20,))
    asked = {"examples": 16} if name == "measured_loss" else {}
    alone = score(net, name, granularity="channel", calibration=list(zip(x, y, strict=True)), **asked)
    together = score(net, name, granularity="channel", calibration=[(x, y)], **asked)
    assert torch.allclose(alone["0"], together["0"], rtol=1e-4, atol=1e-6)


def contributions(net, inputs, wanted) -> list[float]:
    (found,) = score(
        net, "contribution_weighted", granularity="channel", calibration=[(inputs, wanted)], task=REGRESSION
    ).values()
    return found.tolist()


def two_listeners() -> nn.Module:
    """Two neurons that are 1 for the input 1; the answers are 3 and 1."""
    net = nn.Sequential(nn.Linear(1, 2, bias=False), nn.Identity(), nn.Linear(2, 2, bias=False))
    net[0].weight.data = torch.tensor([[1.0], [1.0]])
    net[2].weight.data = torch.tensor([[1.0, 2.0], [1.0, 0.0]])
    net.input_shape = (1,)
    return net


def test_a_neuron_counts_as_much_as_those_that_listen_to_it_on_average():
    # The mean of two squares: dL/dy = y - wanted = 1 and -1, so the answers contribute 3 and 1.
    found = contributions(two_listeners(), torch.ones(1, 1), torch.tensor([[2.0, 2.0]]))
    assert found == [(1 * 3 + 1 * 1) / 2, (2 * 3 + 0 * 1) / 2]


def test_weights_that_add_up_to_nothing_still_listen():
    net = two_listeners()
    net[2].weight.data[1, 0] = -1.0  # with its sign the weights of the first neuron add up to 0; the answers: 3 and -1
    found = contributions(net, torch.ones(1, 1), torch.tensor([[2.0, 0.0]]))
    assert found == [(1 * 3 + 1 * 1) / 2, (2 * 3 + 0 * 1) / 2]


def test_a_neuron_that_nothing_listens_to_counts_for_nothing():
    net = two_listeners()
    net[2].weight.data[:, 1] = 0
    assert contributions(net, torch.ones(1, 1), torch.zeros(1, 2))[1] == 0


def test_contributions_are_the_loss_that_taking_a_little_of_a_listener_away_costs(net, batches):
    net = net.double().eval()
    batches = [(inputs.double(), targets) for inputs, targets in batches]
    inputs, targets = (torch.cat(parts) for parts in zip(*batches, strict=True))
    scores = score(net, "contribution_weighted", granularity="channel", calibration=batches)
    little = 1e-6

    def contribution(layer, channel):
        losses = []
        for sign in (-1, 1):

            def scaled(_module, _args, y, sign=sign):
                y = y.clone()
                y[:, channel] *= 1 + sign * little
                return y

            hook = layer.register_forward_hook(scaled)
            losses.append(functional.cross_entropy(net(inputs), targets, reduction="none").detach())
            hook.remove()
        return ((losses[1] - losses[0]) / (2 * little)).abs().mean()

    for name, group in {g.name: g for g in channel_groups(net) if g.prunable}.items():
        means = []
        for member in group.consumers:
            layer = net.get_submodule(member.layer)
            f = torch.stack([contribution(layer, j) for j in range(len(layer.weight))])
            for unit in range(group.units):
                sizes = layer.weight.data[:, member.positions[unit]].abs().flatten(1).sum(1)
                means.append((sizes * f).sum() / sizes.sum())
        wanted = torch.stack(means).reshape(-1, group.units).mean(0)
        assert torch.allclose(scores[name].double(), wanted, rtol=1e-3, atol=1e-7)


class Attention(nn.Module):
    """Its output projection is used without being called."""

    input_shape = (3, 4)

    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
        self.hidden = nn.Linear(4, 5)
        self.answer = nn.Linear(5, 2)

    def forward(self, x):
        return self.answer(functional.relu(self.hidden(self.attention(x, x, x)[0].mean(1))))


def test_layers_that_are_called_are_scored_beside_those_that_are_not():
    torch.manual_seed(0)
    batch = [(torch.randn(6, 3, 4), torch.tensor([0, 1] * 3))]
    scores = score(Attention(), "error_term", granularity="channel", calibration=batch)
    assert scores["hidden"].sum().item() == pytest.approx(1)
