"""The scorer that tries each unit, by hand and against really removing it."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from prunekit.core.errors import CannotScore
from prunekit.core.tasks import REGRESSION
from prunekit.masks import Mask
from prunekit.scoring import Observation, score
from prunekit.structure.groups import channel_groups
from prunekit.surgery import remove_channels


def test_it_is_the_loss_without_a_neuron_less_the_loss_with_all():
    net = nn.Sequential(nn.Linear(2, 3, bias=False), nn.Identity(), nn.Linear(3, 1, bias=False))
    net[0].weight.data = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    net[2].weight.data = torch.tensor([[1.0, 2.0, 3.0]])
    net.input_shape = (2,)
    # The answer is 3 + 14 + 33 = 50: too much without anything, 3 too little without the first neuron.
    batch = [(torch.ones(1, 2), torch.full((1, 1), 50.0))]
    scores = score(net, "measured_loss", granularity="channel", calibration=batch, task=REGRESSION)
    assert scores["0"].tolist() == [3**2, 14**2, 33**2]
    batch = [(torch.ones(1, 2), torch.full((1, 1), 36.0))]
    scores = score(net, "measured_loss", granularity="channel", calibration=batch, task=REGRESSION)
    assert scores["0"].tolist() == [11**2 - 14**2, 0 - 14**2, 19**2 - 14**2]


def test_it_is_what_removing_the_unit_costs(net, batches):
    scores = score(net, "measured_loss", granularity="channel", calibration=batches)
    inputs, targets = (torch.cat(parts) for parts in zip(*batches, strict=True))

    def loss(model):
        with torch.no_grad():
            return functional.cross_entropy(model(inputs), targets).item()

    net.eval()
    whole = loss(net)
    groups = {g.name: g for g in channel_groups(net) if g.prunable}
    assert set(scores) == set(groups)
    for name, group in groups.items():
        for unit in range(group.units):
            mask = {n: torch.ones(g.units, dtype=torch.bool) for n, g in groups.items()}
            mask[name][unit] = False
            wanted = loss(remove_channels(net, Mask(mask))) - whole
            assert scores[name][unit].item() == pytest.approx(wanted, abs=1e-6)


def test_only_so_many_examples_are_looked_at(plain, batches):
    inputs, targets = (torch.cat([part] * 4) for part in batches[0])  # 24 examples
    few = [(inputs[:16], targets[:16])]
    found = score(plain, "measured_loss", granularity="channel", calibration=[(inputs, targets)] * 2, examples=16)
    wanted = score(plain, "measured_loss", granularity="channel", calibration=few)
    other = score(plain, "measured_loss", granularity="channel", calibration=[(inputs, targets)] * 2, examples=32)
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)
    assert any(not torch.equal(found[name], other[name]) for name in wanted)


def test_all_losses_are_read_on_the_same_examples_even_from_a_loader_that_shuffles(plain):
    generator = torch.Generator().manual_seed(0)
    data = TensorDataset(torch.randn(80, 3, 8, 8, generator=generator), torch.randint(3, (80,), generator=generator))
    asked = []

    class Shuffled:
        def __iter__(self):
            asked.append(1)
            return iter(DataLoader(data, 16, shuffle=True))

    for calibration in (Shuffled(), iter(Shuffled())):
        asked.clear()
        score(plain, "measured_loss", granularity="channel", calibration=calibration, examples=16)
        assert len(asked) <= 1


def test_where_nothing_reads_the_channels_it_says_so_instead_of_guessing(plain):
    (conv, *_others) = channel_groups(plain)
    unread = replace(conv, members=conv.producers)
    with pytest.raises(CannotScore, match="No layer reads the channels of conv"):
        Observation(plain, {}, {"conv.weight": plain.conv.weight}).without(unread, 0)


def test_single_weights_are_too_many():
    with pytest.raises(CannotScore, match="scores channel, not weight"):
        score(nn.Linear(2, 2), "measured_loss", calibration=[(torch.ones(1, 2), torch.zeros(1, 2))])
