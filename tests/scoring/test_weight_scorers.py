"""Scorers that look at weights, on toys with weights 1..n."""

import copy

import pytest
import torch
from torch import nn

from prunekit.core.errors import CannotScore
from prunekit.scoring import score
from prunekit.selection import prune_lowest


def counting(module: nn.Module) -> nn.Module:
    """The module with weights 1, 2, 3, ... in each layer, and no bias to speak of."""
    for parameter in module.parameters():
        parameter.data = torch.arange(1, parameter.numel() + 1.0).reshape(parameter.shape)
    return module


@pytest.fixture
def two_layers():
    """Rows (1, 2), (3, 4), (5, 6), then (1, 2, 3)."""
    return counting(nn.Sequential(nn.Linear(2, 3, bias=False), nn.ReLU(), nn.Linear(3, 1, bias=False)))


class Residual(nn.Module):
    """Two linear layers make the same three units."""

    input_shape = (3,)

    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(3, 3, bias=False)
        self.bn_stem = nn.BatchNorm1d(3)
        self.block = nn.Linear(3, 3, bias=False)
        self.bn_block = nn.BatchNorm1d(3)
        self.answer = nn.Linear(3, 2)

    def forward(self, x):
        x = torch.relu(self.bn_stem(self.stem(x)))
        return self.answer(x + self.bn_block(self.block(x)))


def test_magnitude_of_a_weight_is_its_size(two_layers):
    two_layers[0].weight.data[1] *= -1
    scores = score(two_layers, "magnitude")
    assert scores["0.weight"].tolist() == [[1, 2], [3, 4], [5, 6]]
    assert scores["2.weight"].tolist() == [[1, 2, 3]]


def test_both_norms_are_the_same_for_single_weights(two_layers):
    one, two = score(two_layers, "magnitude", p=1), score(two_layers, "magnitude", p=2)
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_magnitude_of_a_neuron_is_the_norm_of_its_row(two_layers):
    two_layers[0].weight.data[1] *= -1
    assert score(two_layers, "magnitude", granularity="channel")["0"].tolist() == [3, 7, 11]
    squares = score(two_layers, "magnitude", granularity="channel", p=2)["0"]
    assert squares.tolist() == pytest.approx([5**0.5, 5, 61**0.5])


@pytest.mark.parametrize(
    ("p", "wanted"),
    [
        (0.5, [(1 + 2**0.5) ** 2, (3**0.5 + 2) ** 2, (5**0.5 + 6**0.5) ** 2]),
        (3, [9 ** (1 / 3), 91 ** (1 / 3), 341 ** (1 / 3)]),
    ],
)
def test_any_norm_adds_up_powers_and_takes_the_root(two_layers, p, wanted):
    found = score(two_layers, "magnitude", granularity="channel", p=p)["0"]
    assert found.dtype is torch.float32
    assert found.tolist() == pytest.approx(wanted)


def test_high_powers_of_small_weights_do_not_vanish(two_layers):
    for layer in (two_layers[0], two_layers[2]):
        layer.weight.data *= 1e-8
    found = score(two_layers, "magnitude", granularity="channel", p=8)["0"]
    wanted = [1e-8 * (a**8 + b**8) ** (1 / 8) for a, b in ((1, 2), (3, 4), (5, 6))]
    assert found.tolist() == pytest.approx(wanted, rel=1e-5)


def test_magnitude_of_a_filter_adds_up_its_whole_kernel():
    net = counting(nn.Sequential(nn.Conv2d(1, 2, 2, bias=False), nn.Flatten(), nn.Linear(2, 2, bias=False)))
    net.input_shape = (1, 2, 2)
    assert score(net, "magnitude", granularity="channel")["0"].tolist() == [1 + 2 + 3 + 4, 5 + 6 + 7 + 8]


def test_magnitude_of_a_transposed_filter_runs_along_its_outputs():
    net = counting(nn.Sequential(nn.ConvTranspose1d(2, 3, 1, bias=False), nn.Conv1d(3, 1, 1, bias=False)))
    net.input_shape = (2, 4)
    # The weight is (in, out): 1 2 3 / 4 5 6.
    assert score(net, "magnitude", granularity="channel")["0"].tolist() == [1 + 4, 2 + 5, 3 + 6]


def test_layers_that_make_units_together_are_added_up():
    scores = score(counting(Residual()), "magnitude", granularity="channel")
    assert list(scores) == ["stem"]
    assert scores["stem"].tolist() == [2 * (1 + 2 + 3), 2 * (4 + 5 + 6), 2 * (7 + 8 + 9)]


def test_batch_norm_scale_is_the_size_of_gamma_averaged_over_the_layers():
    net = Residual()
    net.bn_stem.weight.data = torch.tensor([1.0, -2.0, 3.0])
    net.bn_block.weight.data = torch.tensor([3.0, 4.0, 0.0])
    assert score(net, "bn_scale", granularity="channel")["stem"].tolist() == [2, 3, 1.5]


def test_a_layer_without_batch_norm_has_no_scale_and_is_named(two_layers):
    two_layers.input_shape = (2,)
    with pytest.raises(CannotScore, match=r"^0 has no batch norm"):
        score(two_layers, "bn_scale", granularity="channel")


def test_batch_norm_without_a_scale_is_none():
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3, affine=False), nn.Linear(3, 1))
    with pytest.raises(CannotScore, match=r"^0 has no batch norm"):
        score(net, "bn_scale", granularity="channel")


def test_random_depends_on_the_seed_and_the_name_and_on_nothing_else(two_layers):
    first = score(two_layers, "random", seed=1)
    assert not torch.equal(first["0.weight"], score(two_layers, "random", seed=2)["0.weight"])
    deeper = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1), nn.Linear(1, 2))
    assert torch.equal(first["2.weight"], score(deeper, "random", seed=1)["2.weight"])


def test_random_is_uniform_between_zero_and_one():
    lots = score(nn.Linear(100, 100), "random")["weight"]
    assert 0 <= lots.min() < 0.01
    assert 0.99 < lots.max() < 1
    assert lots.mean().item() == pytest.approx(0.5, abs=0.02)


def test_a_share_is_what_a_weight_has_of_all_in_its_layer(two_layers):
    two_layers[0].weight.data[1] *= -1
    scores = score(two_layers, "share")
    assert torch.equal(scores["0.weight"], torch.tensor([[1.0, 2], [3, 4], [5, 6]]) / 21)
    assert torch.equal(scores["2.weight"], torch.tensor([[1.0, 2, 3]]) / 6)
    assert torch.equal(score(two_layers, "share", granularity="channel")["0"], torch.tensor([3.0, 7, 11]) / 21)


def test_shares_do_not_see_how_large_a_layer_s_weights_are(net):
    first = score(net, "share")
    with torch.no_grad():
        for number, name in enumerate(first):
            net.get_parameter(name).mul_(10.0**number)
    assert all(torch.allclose(again, first[name], rtol=1e-5) for name, again in score(net, "share").items())
    assert all(entry.sum().item() == pytest.approx(1, rel=1e-4) for entry in first.values())


@pytest.mark.parametrize("scorer", ["share", "lamp"])
def test_in_a_layer_of_zeros_each_weight_scores_zero(two_layers, scorer):
    two_layers[2].weight.data.zero_()
    assert score(two_layers, scorer)["2.weight"].tolist() == [[0, 0, 0]]


def test_lamp_is_a_square_over_those_that_are_at_least_as_large(two_layers):
    two_layers[2].weight.data = torch.tensor([[3.0, -1.0, 2.0]])
    assert score(two_layers, "lamp")["2.weight"].flatten().tolist() == pytest.approx([1, 1 / 14, 4 / 13])


def test_lamp_of_neurons_takes_their_squared_norms(two_layers):
    scores = score(two_layers, "lamp", granularity="channel")["0"]
    assert scores.tolist() == pytest.approx([5 / (5 + 25 + 61), 25 / (25 + 61), 1])


def test_of_weights_that_tie_lamp_ranks_the_first_lowest(two_layers):
    two_layers[2].weight.data = torch.tensor([[2.0, -2.0, 2.0]])
    assert score(two_layers, "lamp")["2.weight"].flatten().tolist() == pytest.approx([1 / 3, 1 / 2, 1])


def test_lamp_is_what_its_definition_says_weight_by_weight(net):
    for name, entry in score(net, "lamp").items():
        squares = net.get_parameter(name).detach().double().square().flatten()
        wanted = [value / squares[squares >= value].sum() for value in squares]
        assert torch.allclose(entry.flatten().double(), torch.stack(wanted), rtol=1e-4)


def test_under_lamp_no_layer_vanishes_as_long_as_each_can_keep_a_weight(net):
    scores = score(net, "lamp")
    total = sum(entry.numel() for entry in scores.values())
    mask = prune_lowest(scores, sparsity=1 - len(scores) / total)
    assert [int(keep.sum()) for keep in mask.values()] == [1] * len(scores)


def test_what_lies_in_the_middle_of_its_layer_scores_lowest(two_layers):
    # From (1, 2) it is sqrt(8) to (3, 4) and twice that to (5, 6).
    scores = score(two_layers, "geometric_median", granularity="channel")["0"]
    assert scores.tolist() == pytest.approx([3 * 8**0.5, 2 * 8**0.5, 3 * 8**0.5])


def test_distances_are_those_of_all_pairs_added_up_over_the_layers_that_make_a_unit():
    torch.manual_seed(0)
    net = Residual()
    scores = score(net, "geometric_median", granularity="channel")["stem"]
    rows = [layer.weight.detach().double() for layer in (net.stem, net.block)]
    wanted = [sum(sum((w[i] - other).norm() for other in w) for w in rows).item() for i in range(3)]
    assert scores.tolist() == pytest.approx(wanted, rel=1e-5)


def test_channels_that_are_nearly_the_same_are_told_apart_from_those_that_are():
    net = nn.Sequential(nn.Linear(40, 30, bias=False), nn.ReLU(), nn.Linear(30, 2))
    net[0].weight.data = torch.full((30, 40), 100.0)
    net[0].weight.data[3, 0] += 0.125  # far below what 100 squared and a sum of 40 leave of single precision
    scores = score(net, "geometric_median", granularity="channel")["0"]
    assert scores[3].item() == pytest.approx(29 * 0.125)
    assert scores[0].item() == pytest.approx(0.125)


def test_the_deviation_of_a_neuron_is_that_of_its_row():
    net = nn.Sequential(nn.Linear(2, 3, bias=False), nn.ReLU(), nn.Linear(3, 1, bias=False))
    net[0].weight.data = torch.tensor([[1.0, 1.0], [1.0, -3.0], [100.0, 102.0]])
    assert score(net, "deviation", granularity="channel")["0"].tolist() == [0, 2, 1]


def test_deviations_are_numpy_s_added_up_over_the_layers_that_make_a_unit():
    torch.manual_seed(0)
    net = Residual()
    wanted = sum(layer.weight.detach().numpy().std(axis=1) for layer in (net.stem, net.block))
    assert score(net, "deviation", granularity="channel")["stem"].tolist() == pytest.approx(wanted.tolist(), rel=1e-5)


def test_the_slices_of_a_transposed_filter_run_along_its_outputs():
    net = counting(nn.Sequential(nn.ConvTranspose1d(2, 3, 1, bias=False), nn.Conv1d(3, 1, 1, bias=False)))
    net.input_shape = (2, 4)
    # The weight is (in, out): 1 2 3 / 4 5 6, so that a unit has (1, 4), (2, 5) or (3, 6).
    assert score(net, "deviation", granularity="channel")["0"].tolist() == [1.5, 1.5, 1.5]
    middle = score(net, "geometric_median", granularity="channel")["0"]
    assert middle.tolist() == pytest.approx([3 * 2**0.5, 2 * 2**0.5, 3 * 2**0.5])


def test_what_flows_through_each_weight_by_hand(two_layers):
    two_layers[0].weight.data[1] *= -1
    two_layers[2].weight.data[0, 2] *= -1
    two_layers.input_shape = (2,)
    # Ones become 3, 7 and 11, and these 3 + 14 + 33 = 50.
    scores = score(two_layers, "synflow")
    assert torch.allclose(scores["2.weight"] * 50, torch.tensor([[3.0, 14, 33]]))
    assert torch.allclose(scores["0.weight"] * 50, torch.tensor([[1.0, 2], [2 * 3, 2 * 4], [3 * 5, 3 * 6]]))
    assert torch.allclose(score(two_layers, "synflow", granularity="channel")["0"] * 50, torch.tensor([3.0, 14, 33]))


def test_what_flows_through_a_layer_that_no_path_avoids_is_everything(plain):
    for name, entry in score(plain, "synflow").items():
        assert entry.sum().item() == pytest.approx(1, rel=1e-5), name


def test_the_flow_is_what_taking_a_little_of_a_weight_away_costs(net):
    """The oracle: the share of R that is lost, per part of the weight that is taken away."""
    changed = copy.deepcopy(net).double().eval()
    scores = score(net, "synflow")
    with torch.no_grad():
        for name, tensor in changed.state_dict().items():
            if name.endswith(("bias", "running_mean")):
                tensor.zero_()
            elif tensor.is_floating_point():
                tensor.abs_()
        ones = torch.ones(1, 3, 8, 8, dtype=torch.float64)
        whole = changed(ones).sum()
        for name, entry in scores.items():
            at = tuple(size // 2 for size in entry.shape)
            weight = changed.get_parameter(name)
            before = weight[at].item()
            weight[at] = before * (1 - 1e-6)
            lost = (whole - changed(ones).sum()).item() / whole.item() / 1e-6
            weight[at] = before
            assert entry[at].item() == pytest.approx(lost, rel=1e-3, abs=1e-9)


def test_a_net_so_deep_that_its_flow_leaves_single_precision_has_finite_scores():
    net = nn.Sequential(*(nn.Linear(100, 100) for _layer in range(30)))
    for layer in net:
        layer.weight.data.fill_(1.0)
    scores = score(net, "synflow")  # R is 100 to the power of 31
    assert all(entry.sum().item() == pytest.approx(1) for entry in scores.values())


def test_a_net_that_does_not_take_double_precision_is_refused_in_a_sentence():
    class Single(nn.Module):
        input_shape = (2,)

        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(2, 2)

        def forward(self, x):
            return self.layer(x.float())

    with pytest.raises(CannotScore, match="does not run on ones in double precision"):
        score(Single(), "synflow")


@pytest.mark.parametrize("activation", [nn.ReLU6(), nn.Tanh(), nn.Hardtanh()])
def test_what_saturates_lets_everything_through_as_well(activation):
    torch.manual_seed(0)
    bent, straight = (
        nn.Sequential(nn.Linear(5, 9), a, nn.Linear(9, 7), a, nn.Linear(7, 3)) for a in (activation, nn.ReLU())
    )
    straight.load_state_dict(bent.state_dict())
    one, other = score(bent, "synflow"), score(straight, "synflow")
    assert all(torch.allclose(one[name], other[name], rtol=1e-5) for name in one)


@pytest.mark.parametrize("part", [nn.Softmax(dim=-1), nn.LogSoftmax(dim=-1), nn.LayerNorm(3), nn.Sigmoid()])
def test_a_net_that_passes_nothing_on_in_proportion_has_no_flow(part):
    with pytest.raises(CannotScore, match="grow in proportion to its inputs"):
        score(nn.Sequential(nn.Linear(2, 3), part), "synflow")
