"""The scorer that looks at activations, by hand."""

import torch
from torch import nn

from prunekit.scoring import score


def chain(between: nn.Module) -> nn.Module:
    """Neurons 3, -7 and 11 for the input (1, 1)."""
    net = nn.Sequential(nn.Linear(2, 3, bias=False), between, nn.Linear(3, 1, bias=False))
    net[0].weight.data = torch.tensor([[1.0, 2.0], [-3.0, -4.0], [5.0, 6.0]])
    net[2].weight.data = torch.tensor([[1.0, 2.0, -3.0]])
    net.input_shape = (2,)
    return net


ONES = [(torch.ones(1, 2), torch.zeros(1, 1))]


def test_a_neuron_counts_as_much_as_its_size_where_it_is_read():
    assert score(chain(nn.Identity()), "contribution", granularity="channel", calibration=ONES)["0"].tolist() == [
        3,
        7,
        11,
    ]
    assert score(chain(nn.ReLU()), "contribution", granularity="channel", calibration=ONES)["0"].tolist() == [3, 0, 11]


def test_a_weight_counts_as_much_as_it_passes_on():
    scores = score(chain(nn.Identity()), "contribution", calibration=[(torch.tensor([[1.0, -1.0]]), torch.zeros(1, 1))])
    assert scores["0.weight"].tolist() == [[1, 2], [3, 4], [5, 6]]
    # The neurons are -1, 1 and -1 now.
    assert scores["2.weight"].tolist() == [[1, 2, 3]]


def test_examples_are_averaged_by_size_not_by_value():
    batches = [(torch.tensor([[1.0, 1.0], [-1.0, -1.0]]), torch.zeros(2, 1)), (torch.zeros(2, 2), torch.zeros(2, 1))]
    assert score(chain(nn.Identity()), "contribution", granularity="channel", calibration=batches)["0"].tolist() == [
        1.5,
        3.5,
        5.5,
    ]


def test_all_pixels_of_a_channel_behind_a_flatten_count():
    net = nn.Sequential(nn.Conv2d(1, 2, 1, bias=False), nn.Flatten(), nn.Linear(8, 1, bias=False))
    net[0].weight.data = torch.tensor([1.0, 2.0]).reshape(2, 1, 1, 1)
    net.input_shape = (1, 2, 2)
    image = torch.tensor([[1.0, -2.0], [3.0, 6.0]]).reshape(1, 1, 2, 2)
    scores = score(net, "contribution", granularity="channel", calibration=[(image, torch.zeros(1, dtype=torch.long))])
    assert scores["0"].tolist() == [3, 6]


def test_a_convolution_reads_the_mean_over_all_pixels():
    net = nn.Conv2d(2, 1, 1, bias=False)
    net.weight.data = torch.tensor([3.0, 4.0]).reshape(1, 2, 1, 1)
    image = torch.tensor([[1.0, -3.0], [10.0, 10.0]]).reshape(1, 2, 1, 2)
    assert score(net, "contribution", calibration=[(image, None)])["weight"].flatten().tolist() == [3 * 2, 4 * 10]


def test_each_block_of_a_grouped_convolution_reads_its_own_inputs():
    net = nn.Conv1d(4, 2, 1, groups=2, bias=False)
    net.weight.data = torch.tensor([[1.0, 1.0], [1.0, 2.0]]).reshape(2, 2, 1)
    inputs = torch.tensor([1.0, 2.0, 3.0, 4.0]).reshape(1, 4, 1)
    assert score(net, "contribution", calibration=[(inputs, None)])["weight"].squeeze(2).tolist() == [[1, 2], [3, 8]]


def test_a_transposed_convolution_reads_along_its_first_axis():
    net = nn.ConvTranspose1d(2, 3, 1, bias=False)
    net.weight.data = torch.ones(2, 3, 1)
    inputs = torch.tensor([5.0, 7.0]).reshape(1, 2, 1)
    scores = score(net, "contribution", calibration=[(inputs, None)])["weight"].squeeze(2)
    assert scores.tolist() == [[5, 5, 5], [7, 7, 7]]


class Spare(nn.Module):
    """A linear layer that is used and one that is not."""

    def __init__(self):
        super().__init__()
        self.used = nn.Linear(2, 1)
        self.spare = nn.Linear(2, 2)

    def forward(self, x):
        return self.used(x)


def test_a_layer_that_is_never_called_passes_on_nothing():
    scores = score(Spare(), "contribution", calibration=ONES)
    assert scores["used.weight"].min() > 0
    assert torch.equal(scores["spare.weight"], torch.zeros(2, 2))
