"""Scorers that look at gradients, by hand and against really taking a little of a unit away."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from prunekit.core.tasks import REGRESSION
from prunekit.scoring import score
from prunekit.structure.groups import channel_groups
from tests.toy_networks import chain

ONES = [(torch.ones(1, 2), torch.zeros(1, 1))]


def test_the_gradient_of_a_squared_error_by_hand():
    net = nn.Linear(2, 1, bias=False)
    net.weight.data = torch.tensor([[1.0, 2.0]])
    # The answer is 3 where 0 is wanted: dL/dw = 2 * 3 * x.
    scores = score(
        net, "gradient", calibration=[(torch.tensor([[1.0, -10.0]]), torch.tensor([[-22.0]]))], task=REGRESSION
    )
    assert scores["weight"].tolist() == [[6, 60]]


def test_batches_count_by_their_examples():
    net = nn.Linear(1, 1, bias=False)
    net.weight.data.fill_(1.0)
    batches = [(torch.ones(3, 1), torch.zeros(3, 1)), (torch.ones(1, 1), torch.full((1, 1), 3.0))]
    # |dL/dw| is 2 on three examples and |-4| on one.
    assert score(net, "gradient", calibration=batches, task=REGRESSION)["weight"].item() == (3 * 2 + 1 * 4) / 4


def test_the_gradient_of_a_neuron_adds_up_its_row():
    # dL/dw = 2 * 50 * v_j * x_i: 100, 200 and 300 for each of the two inputs.
    scores = score(chain(), "gradient", granularity="channel", calibration=ONES, task=REGRESSION)
    assert scores["0"].tolist() == [200, 400, 600]


def test_taylor_of_a_weight_is_weight_times_gradient():
    scores = score(chain(), "taylor", calibration=ONES, task=REGRESSION)
    assert scores["0.weight"].tolist() == [[100, 200], [600, 800], [1500, 1800]]
    assert scores["2.weight"].tolist() == [[300, 1400, 3300]]


def test_taylor_of_a_neuron_is_that_of_what_reads_it():
    scores = score(chain(), "taylor", granularity="channel", calibration=ONES, task=REGRESSION)
    assert scores["0"].tolist() == [300, 1400, 3300]


def test_what_readers_gain_and_lose_by_a_neuron_cancels_out():
    net = nn.Sequential(nn.Linear(1, 2, bias=False), nn.Identity(), nn.Linear(2, 2, bias=False))
    net[0].weight.data = torch.tensor([[1.0], [1.0]])
    net[2].weight.data = torch.tensor([[1.0, 2.0], [1.0, 0.0]])
    net.input_shape = (1,)
    # Both answers are read; wanted is one less than the first and one more than the second.
    wanted = torch.tensor([[3.0 - 1, 1.0 + 1]])
    scores = score(net, "taylor", granularity="channel", calibration=[(torch.ones(1, 1), wanted)], task=REGRESSION)
    # The mean of two squares: w * g is 1 * 1 - 1 * 1 for the first neuron, 2 * 1 - 0 for the second.
    assert scores["0"].tolist() == [0, 2]


class Spare(nn.Module):
    """A linear layer that is used and one that is not."""

    def __init__(self):
        super().__init__()
        self.used = nn.Linear(2, 1)
        self.spare = nn.Linear(2, 2)

    def forward(self, x):
        return self.used(x)


def test_a_weight_that_the_loss_does_not_see_scores_zero():
    scores = score(Spare(), "gradient", calibration=ONES, task=REGRESSION)
    assert scores["used.weight"].min() > 0
    assert torch.equal(scores["spare.weight"], torch.zeros(2, 2))


def loss_of(net, batches):
    return [functional.cross_entropy(net.eval()(inputs), targets).item() for inputs, targets in batches]


def test_taylor_is_the_loss_that_taking_a_little_of_a_unit_away_costs(net, batches):
    net = net.double()
    batches = [(inputs.double(), targets) for inputs, targets in batches]
    scores = score(net, "taylor", granularity="channel", calibration=batches)
    groups = {g.name: g for g in channel_groups(net) if g.prunable}
    assert set(scores) == set(groups)
    little = 1e-4
    for name, group in groups.items():
        for unit in range(group.units):
            losses = {}
            for sign in (-1, 1):
                changed = {k: v.clone() for k, v in net.state_dict().items()}
                for member in group.consumers:
                    changed[f"{member.layer}.weight"][:, member.positions[unit]] *= 1 + sign * little
                original = {k: v.clone() for k, v in net.state_dict().items()}
                net.load_state_dict(changed)
                losses[sign] = loss_of(net, batches)
                net.load_state_dict(original)
            change = [abs(up - down) / (2 * little) for up, down in zip(losses[1], losses[-1], strict=True)]
            assert scores[name][unit].item() == pytest.approx((6 * change[0] + 2 * change[1]) / 8, rel=1e-3, abs=1e-6)


def test_taylor_of_a_single_weight_is_the_loss_that_taking_a_little_of_it_away_costs(plain, batches):
    net = plain.double()
    batches = [(inputs.double(), targets) for inputs, targets in batches]
    scores = score(net, "taylor", calibration=batches)
    little = 1e-4
    for name, index in (("conv.weight", (1, 2, 0, 1)), ("hidden.weight", (3, 17)), ("answer.weight", (2, 5))):
        weight = net.get_parameter(name)
        value = weight.data[index].item()
        losses = {}
        for sign in (-1, 1):
            weight.data[index] = value * (1 + sign * little)
            losses[sign] = loss_of(net, batches)
        weight.data[index] = value
        change = [abs(up - down) / (2 * little) for up, down in zip(losses[1], losses[-1], strict=True)]
        assert scores[name][index].item() == pytest.approx((6 * change[0] + 2 * change[1]) / 8, rel=1e-3, abs=1e-7)


def test_size_and_gradient_are_added_with_the_gradient_times_lambda():
    net = nn.Linear(2, 1, bias=False)
    net.weight.data = torch.tensor([[1.0, -2.0]])
    # The answer is -3 where 0 is wanted: dL/dw = -6 * x.
    batch = [(torch.tensor([[1.0, 2.0]]), torch.zeros(1, 1))]
    assert score(net, "combined", calibration=batch, task=REGRESSION)["weight"].tolist() == [[1 + 6, 2 + 12]]
    assert score(net, "combined", calibration=batch, task=REGRESSION, strength=0.5)["weight"].tolist() == [[4, 8]]


@pytest.mark.parametrize("granularity", ["weight", "channel"])
def test_without_lambda_the_combined_score_is_magnitude(net, batches, granularity):
    found = score(net, "combined", granularity=granularity, calibration=batches, strength=0)
    wanted = score(net, "magnitude", granularity=granularity)
    assert all(torch.allclose(found[name], wanted[name]) for name in wanted)


def test_grasp_is_weight_times_hessian_times_gradient():
    net = nn.Linear(2, 1, bias=False)
    net.weight.data = torch.tensor([[1.0, -1.0]])
    # The answer is -1 where 0 is wanted: g = -2 * x = (-2, -4), and H g = 2 * x * (x . g) = (-20, -40).
    batch = [(torch.tensor([[1.0, 2.0]]), torch.zeros(1, 1))]
    assert score(net, "grasp", calibration=batch, task=REGRESSION)["weight"].tolist() == [[-20, 40]]


def test_grasp_takes_the_hessian_and_the_gradient_of_the_whole_set():
    net = nn.Linear(1, 1, bias=False)
    net.weight.data.fill_(2.0)
    batches = [(torch.ones(3, 1), torch.zeros(3, 1)), (torch.full((1, 1), 3.0), torch.zeros(1, 1))]
    # g is 4 on three examples and 36 on one, 12 on all; H is 2 and 18, 6 on all. Of each by itself it would be 174.
    assert score(net, "grasp", calibration=batches, task=REGRESSION)["weight"].item() == 2 * 6 * 12


def test_grasp_of_a_loss_without_curvature_is_zero():
    class Still(nn.Linear):
        """Whose answer does not hang on its weight where the loss is looked at."""

        def forward(self, x):
            return functional.relu(super().forward(x) - 100)

    scores = score(Still(2, 1), "grasp", calibration=ONES, task=REGRESSION)
    assert torch.equal(scores["weight"], torch.zeros(1, 2))


def test_grasp_is_half_the_squared_gradient_that_taking_a_little_of_a_unit_away_costs(plain, batches):
    net = plain.double().eval()
    batches = [(inputs.double(), targets) for inputs, targets in batches]
    inputs, targets = (torch.cat(parts) for parts in zip(*batches, strict=True))
    names = [f"{layer}.weight" for layer in ("conv", "hidden", "answer")]

    def flow(changed):
        """The squared norm of the gradient of the loss."""
        tensors = {name: value.clone().requires_grad_(name in names) for name, value in changed.items()}
        outputs = torch.func.functional_call(net, tensors, inputs)
        loss = functional.cross_entropy(outputs, targets)
        return sum(g.square().sum() for g in torch.autograd.grad(loss, [tensors[n] for n in names])).item()

    scores = score(net, "grasp", granularity="channel", calibration=batches)
    little, signs = 1e-5, set()
    for name, group in {g.name: g for g in channel_groups(net) if g.prunable}.items():
        for unit in range(group.units):
            flows = {}
            for sign in (-1, 1):
                changed = {k: v.detach().clone() for k, v in net.state_dict().items()}
                for member in group.consumers:
                    changed[f"{member.layer}.weight"][:, member.positions[unit]] *= 1 + sign * little
                flows[sign] = flow(changed)
            wanted = (flows[1] - flows[-1]) / (2 * little) / 2
            assert scores[name][unit].item() == pytest.approx(wanted, rel=1e-3, abs=1e-7)
            signs.add(scores[name][unit].sign().item())
    assert signs >= {-1, 1}, "nothing here tells a score from its size"


TWO_BATCHES = [(torch.ones(3, 1), torch.zeros(3, 1)), (torch.ones(1, 1), torch.full((1, 1), 3.0))]


def test_for_snip_what_batches_gain_and_lose_cancels_out():
    net = nn.Linear(1, 1, bias=False)
    net.weight.data.fill_(2.0)
    # dL/dw is 4 on three examples and -2 on one: 2.5 on all of them.
    assert score(net, "snip", calibration=TWO_BATCHES, task=REGRESSION)["weight"].item() == 2 * 2.5
    assert score(net, "taylor", calibration=TWO_BATCHES, task=REGRESSION)["weight"].item() == 2 * 3.5


def test_snip_of_one_batch_is_taylor(net, batches):
    for granularity in ("weight", "channel"):
        one, other = (score(net, name, granularity=granularity, calibration=batches[:1]) for name in ("snip", "taylor"))
        assert all(torch.equal(one[name], other[name]) for name in one)


def test_fisher_squares_the_gradient_of_each_example_by_itself():
    net = nn.Linear(1, 1, bias=False)
    net.weight.data.fill_(2.0)
    # w * dL/dw is 8 on three examples and -4 on one, whose half squares are 32 and 8.
    assert score(net, "fisher", calibration=TWO_BATCHES, task=REGRESSION)["weight"].item() == (3 * 32 + 8) / 4


def test_fisher_is_half_the_mean_square_of_what_a_little_of_a_unit_costs_each_example(plain, batches):
    net = plain.double().eval()
    batches = [(inputs.double(), targets) for inputs, targets in batches]
    inputs, targets = (torch.cat(parts) for parts in zip(*batches, strict=True))
    scores = score(net, "fisher", granularity="channel", calibration=batches)
    little = 1e-4
    for name, group in {g.name: g for g in channel_groups(net) if g.prunable}.items():
        for unit in range(group.units):
            losses = []
            for sign in (-1, 1):
                changed = {k: v.clone() for k, v in net.state_dict().items()}
                for member in group.consumers:
                    changed[f"{member.layer}.weight"][:, member.positions[unit]] *= 1 + sign * little
                outputs = torch.func.functional_call(net, changed, inputs)
                losses.append(functional.cross_entropy(outputs, targets, reduction="none"))
            change = (losses[1] - losses[0]) / (2 * little)
            assert scores[name][unit].item() == pytest.approx((change.square() / 2).mean().item(), rel=1e-3, abs=1e-7)


def test_the_output_gradient_of_one_output_by_hand():
    # d 50 / dw = v_j * x_i: 1, 2 and 3 for each of the two inputs; then the neurons themselves.
    scores = score(chain(), "output_gradient", calibration=ONES)
    assert scores["0.weight"].tolist() == [[1, 1], [4, 4], [9, 9]]
    assert scores["2.weight"].tolist() == [[9, 49, 121]]
    assert score(chain(), "output_gradient", granularity="channel", calibration=ONES)["0"].tolist() == [2, 8, 18]


def test_the_output_gradient_is_about_the_sum_over_all_outputs_of_their_squared_gradients(plain):
    net, count = plain.eval(), 400
    generator = torch.Generator().manual_seed(2)
    inputs = torch.randn(count, 3, 8, 8, generator=generator)
    wanted = torch.zeros_like(net.conv.weight)
    for example in inputs.split(1):
        for output in net(example)[0]:
            wanted += torch.autograd.grad(output, net.conv.weight, retain_graph=True)[0].square() / count
    found = score(net, "output_gradient", calibration=[(inputs, None)])["conv.weight"]
    assert torch.corrcoef(torch.stack([found.flatten(), wanted.flatten()]))[0, 1] > 0.98
    assert found.sum().item() == pytest.approx(wanted.sum().item(), rel=0.1)


def test_labels_do_not_matter_to_the_output_gradient(plain, batches):
    others = [(inputs, (targets + 1) % 3) for inputs, targets in batches]
    one, other = (score(plain, "output_gradient", calibration=given) for given in (batches, others))
    assert all(torch.equal(one[name], other[name]) for name in one)


class Summed(nn.Module):
    """Two weights with the same gradient."""

    def __init__(self):
        super().__init__()
        self.one, self.other = (nn.Linear(1, 1, bias=False) for _layer in range(2))
        for layer in (self.one, self.other):
            layer.weight.data.fill_(0.5)

    def forward(self, x):
        return functional.linear(x, self.one.weight + self.other.weight)


def test_weights_that_share_a_gradient_are_averaged_once_each():
    batches = [(torch.ones(1, 1), torch.full((1, 1), wanted)) for wanted in (0.0, 3.0)]
    # The answer is 1: dL/dw is 2 and -4, on average -1.
    scores = score(Summed(), "snip", calibration=batches, task=REGRESSION)
    assert [scores[name].item() for name in ("one.weight", "other.weight")] == [0.5, 0.5]


def test_an_unused_layer_of_a_net_in_double_precision_scores_in_single_too():
    scores = score(
        Spare().double(), "gradient", calibration=[(ONES[0][0].double(), ONES[0][1].double())], task=REGRESSION
    )
    assert {entry.dtype for entry in scores.values()} == {torch.float32}


class Scaled(nn.Module):
    """Takes a number that belongs to no example."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 1, bias=False)

    def forward(self, x, factors):
        return self.layer(x * factors)


@pytest.mark.parametrize("factors", [torch.tensor(2.0), torch.tensor([2.0, 2.0])])
def test_what_belongs_to_all_examples_stays_whole_when_they_are_looked_at_one_by_one(factors):
    net, x = Scaled(), torch.arange(6.0).reshape(3, 2)
    found = score(net, "fisher", calibration=[((x, factors), torch.ones(3, 1))], task=REGRESSION)
    plain = score(net.layer, "fisher", calibration=[(2 * x, torch.ones(3, 1))], task=REGRESSION)
    assert torch.allclose(found["layer.weight"], plain["weight"])
