"""Kernels, rows and tiles: their scores, by hand and against really weakening them."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from prunekit.core.errors import CannotScore
from prunekit.scoring import score
from prunekit.structure import weight_parts
from tests.scoring.test_weight_scorers import counting

# One filter with kernels (1, 2) and (3, 4), a second with (5, 6) and (7, 8).
FILTERS = [[[1.0, 2], [3, 4]], [[5, 6], [7, 8]]]


@pytest.fixture
def filters():
    net = counting(nn.Sequential(nn.Conv2d(2, 2, (1, 2), bias=False), nn.Flatten(), nn.Linear(2, 1, bias=False)))
    net.input_shape = (2, 1, 2)
    return net


def test_the_magnitude_of_a_kernel_is_the_norm_of_its_weights(filters):
    assert score(filters, "magnitude", granularity="kernel")["0.weight"].tolist() == [[3, 7], [11, 15]]
    squares = score(filters, "magnitude", granularity="kernel", p=2)["0.weight"].square()
    assert torch.allclose(squares, torch.tensor([[5.0, 25], [61, 113]]))


def test_the_magnitude_of_a_row_is_the_norm_of_all_that_makes_an_output(filters):
    assert score(filters, "magnitude", granularity="row")["0.weight"].tolist() == [10, 26]


def test_lamp_compares_kernels_by_their_squares(filters):
    squares = torch.tensor([5.0, 25, 61, 113])  # in rising order
    wanted = squares / squares.flip(0).cumsum(0).flip(0)
    assert torch.allclose(score(filters, "lamp", granularity="kernel")["0.weight"].flatten(), wanted)


def test_random_lots_of_a_row_do_not_hang_on_its_length():
    long, short = nn.Linear(4096, 64), nn.Linear(64, 64)
    scores = score(nn.Sequential(long, short, nn.Linear(64, 1)), "random", granularity="row")
    assert all(entry.min() >= 0 and entry.max() < 1 for entry in scores.values())
    assert abs(scores["0.weight"].mean() - scores["1.weight"].mean()) < 0.2


@pytest.mark.parametrize("granularity", ["kernel", "row", "tile"])
def test_taylor_is_how_the_loss_moves_when_the_part_fades(net, batches, granularity):
    batch, little = batches[:1], 1e-6
    scores = score(net, "taylor", granularity=granularity, calibration=batch)
    [(inputs, targets)] = batch
    net.eval().double()

    def loss() -> float:
        return functional.cross_entropy(net(inputs.double()), targets).item()

    for name, parts in weight_parts(net, granularity).items():
        weight, found = net.get_parameter(name).data, []
        for unit in range(min(parts.spread(torch.arange(scores[name].numel())).max().item() + 1, 12)):
            which = parts.spread(torch.arange(scores[name].numel()).reshape(parts.shape)) == unit
            change = torch.where(which, weight * little, 0.0)
            weight += change
            more = loss()
            weight -= 2 * change
            less = loss()
            weight += change
            found.append(abs(more - less) / (2 * little))
        wanted = torch.tensor(found)
        assert torch.allclose(scores[name].flatten()[:12], wanted, rtol=1e-3, atol=1e-6)
        assert wanted.max() > 0


def test_fisher_adds_the_changes_of_a_row_before_it_squares_them(plain, batches):
    scores = score(plain, "fisher", granularity="row", calibration=batches)["hidden.weight"]
    plain.eval()
    squares = []
    for inputs, targets in batches:
        for one, target in zip(inputs, targets, strict=True):
            loss = functional.cross_entropy(plain(one[None]), target[None])
            [gradient] = torch.autograd.grad(loss, [plain.hidden.weight])
            squares.append((gradient * plain.hidden.weight).sum(1).square())
    assert torch.allclose(scores, torch.stack(squares).mean(0).detach() / 2, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize(
    ("granularity", "why"), [("kernel", "Only convolutions have kernels"), ("tile", "multiples of 4")]
)
def test_a_network_without_such_parts_says_why(granularity, why):
    net = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2))
    with pytest.raises(CannotScore, match=why):
        score(net, "magnitude", granularity=granularity)
