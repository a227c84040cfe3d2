"""Channel groups: who must go together, and who cannot go."""

import pytest
import torch
import torchvision
from torch import nn
from torch.nn.utils import prune

from prunekit.core.errors import CannotPrune
from prunekit.structure import Group, Member, channel_groups
from prunekit.structure.groups import _uniquely_named
from prunekit.surgery import remove_channels
from tests.toy_networks import (
    EXACT,
    IMAGES,
    AddedToInput,
    Chunked,
    Concatenated,
    ConcatenatedAndAdded,
    FixedView,
    Residual,
    layer_norm_mlp,
    lenet,
    ready,
)


def groups_of(make, shape=IMAGES):
    return {group.name: group for group in channel_groups(*ready(make, shape))}


def members(group):
    return {(m.layer, m.axis): m.positions.tolist() for m in group.members}


def test_a_chain_has_one_group_for_each_layer_in_the_order_of_the_forward_pass():
    groups = channel_groups(*ready(lenet, IMAGES))
    assert [(g.name, g.units, g.prunable) for g in groups] == [
        ("0", 6, True), ("4", 8, True), ("9", 12, True), ("11", 5, False)
    ]  # fmt: skip


def test_behind_a_flatten_each_channel_has_all_its_positions():
    group = groups_of(lenet)["4"]
    assert [(m.layer, m.axis) for m in group.members] == [("4", "out"), ("5", "out"), ("9", "in")]
    assert members(group)["9", "in"] == [list(range(16 * c, 16 * c + 16)) for c in range(8)]


def test_layers_that_are_added_up_are_one_group():
    groups = groups_of(Residual)
    assert set(groups) == {"stem", "conv1", "head"}
    assert {(m.layer, m.axis) for m in groups["stem"].members} == {
        ("stem", "out"), ("stem_bn", "out"), ("conv1", "in"), ("conv2", "out"), ("bn2", "out"), ("head", "in")
    }  # fmt: skip


def test_side_by_side_layers_are_two_groups_at_different_positions():
    groups = groups_of(Concatenated)
    assert members(groups["left"])["both", "in"] == [[0], [1], [2], [3]]
    assert members(groups["right"])["both", "in"] == [[4], [5], [6], [7], [8], [9]]


def test_a_layer_added_to_a_concatenation_goes_in_part_with_each_branch():
    groups = groups_of(ConcatenatedAndAdded)
    assert {name: g.units for name, g in groups.items()} == {"left": 4, "right": 6, "head": 5}
    assert members(groups["right"])["whole", "out"] == [[4], [5], [6], [7], [8], [9]]


def test_a_group_whose_first_layer_has_given_its_name_takes_that_of_the_next():
    class WholeFirst(ConcatenatedAndAdded):
        def forward(self, x):
            whole = self.whole(x)
            return self.head(torch.relu(whole + torch.cat([self.left(x), self.right(x)], 1)).mean((2, 3)))

    groups = groups_of(WholeFirst)
    assert {name: g.units for name, g in groups.items()} == {"whole": 4, "right": 6, "head": 5}


def test_groups_of_one_layer_alone_are_numbered():
    parts = [Group("conv", 2, (Member("conv", "out", torch.tensor([[i], [i + 1]])),)) for i in (0, 2, 4)]
    assert [g.name for g in _uniquely_named(parts, {"conv": nn.Conv2d(3, 6, 1)})] == ["conv", "conv[2]", "conv[3]"]


@pytest.mark.parametrize("name", EXACT)
def test_all_groups_but_the_answer_are_prunable_and_exact(name):
    *inner, last = channel_groups(*ready(*EXACT[name]))
    assert inner
    assert all(g.prunable and g.exact and not g.problem for g in inner)
    assert not last.prunable
    assert "network's answer" in last.problem


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2"])
def test_known_networks_can_be_pruned_everywhere_but_at_the_end(name):
    model = torchvision.models.get_model(name, weights=None)
    groups = channel_groups(model, torch.randn(1, 3, 64, 64))
    assert [g.name for g in groups if not g.prunable] == [groups[-1].name]
    # Every output channel of every convolution is in exactly one group.
    held = [(m.layer, p) for g in groups for m in g.members if m.axis == "out" for p in m.positions.flatten().tolist()]
    convolutions = {name: m for name, m in model.named_modules() if isinstance(m, nn.Conv2d)}
    assert len(held) == len(set(held))
    assert {(n, i) for n, m in convolutions.items() for i in range(m.out_channels)} <= set(held)


def test_a_layer_norm_makes_its_group_inexact_and_no_other():
    first, second, _last = channel_groups(*ready(layer_norm_mlp, (6,)))
    assert first.prunable
    assert not first.exact
    assert "1 normalises over the channels" in first.inexact_because
    assert second.exact


@pytest.mark.parametrize(
    ("make", "name", "reason"),
    [
        (Chunked, "conv", "fixed places"),
        (FixedView, "conv2", "trial removal"),
        (AddedToInput, "conv", "trial removal"),
        (lambda: nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 1, groups=2), nn.Conv2d(4, 2, 1)), "0", "grouped"),
        (lambda: nn.Sequential(nn.Conv2d(3, 4, 1), nn.GroupNorm(2, 4), nn.Conv2d(4, 2, 1)), "0", "blocks of channels"),
        (lambda: nn.Sequential(*[nn.Conv2d(3, 3, 1)] * 2, nn.Conv2d(3, 2, 1)), "0", "shares its weights"),
    ],
)  # fmt: skip
def test_what_cannot_be_removed_says_why(make, name, reason):
    group = groups_of(make)[name]
    assert not group.prunable
    assert reason in group.problem


def test_a_layer_that_is_down_to_one_unit_is_still_a_group():
    # The rounds of an iterative run must speak of the same groups from the first to the last.
    model, inputs = ready(lenet, IMAGES)
    smaller = remove_channels(model, {"0": torch.arange(6) < 1}, inputs)
    assert [(g.name, g.units, g.prunable) for g in channel_groups(smaller, inputs)][:2] == [
        ("0", 1, True),
        ("4", 8, True),
    ]


def test_a_group_that_fails_its_trial_does_not_take_the_others_with_it():
    assert groups_of(FixedView)["conv1"].prunable
    assert groups_of(AddedToInput)["inner"].prunable


def test_layers_that_share_one_weight_are_left_alone():
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))
    model[2].weight = model[0].weight
    first, second, _last = channel_groups(model, torch.randn(2, 4))
    assert "shares its weights" in first.problem
    assert "shares its weights" in second.problem


def test_frozen_networks_in_inference_mode_can_be_traced():
    model, inputs = ready(lenet, IMAGES)
    model.requires_grad_(False)
    with torch.inference_mode():
        assert [g.prunable for g in channel_groups(model, inputs.clone())] == [True, True, True, False]


def test_finding_groups_changes_nothing():
    model, inputs = ready(lenet, IMAGES)
    model.train()
    model[0].weight.requires_grad_(False)
    model[9].weight.grad = torch.ones_like(model[9].weight)
    calls = []
    model[0].register_forward_hook(lambda *_: calls.append(1))
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    seed = torch.random.get_rng_state()
    channel_groups(model, inputs)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert all(module.training for module in model.modules())
    assert not model[0].weight.requires_grad
    assert torch.equal(model[9].weight.grad, torch.ones_like(model[9].weight))
    assert len(model[0]._forward_hooks) == 1
    assert not calls
    assert torch.equal(seed, torch.random.get_rng_state())


def test_a_network_that_cannot_be_traced_is_one_sentence():
    class Stubborn(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 2)

        def forward(self, x):
            raise ValueError("not today")

    with pytest.raises(CannotPrune, match="not today"):
        channel_groups(Stubborn(), torch.zeros(1, 4))


def test_a_network_under_torchs_own_pruning_is_told_how_to_get_out_of_it():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))
    prune.l1_unstructured(model[0], "weight", amount=0.5)
    with pytest.raises(CannotPrune, match=r"0 is under torch.nn.utils.prune; .*prune.remove"):
        channel_groups(model, torch.zeros(1, 4))


def test_wiring_that_ties_too_much_together_is_given_up_and_not_followed_for_ever(monkeypatch):
    monkeypatch.setattr("prunekit.structure.coupling.MOST_STEPS", 10)
    with pytest.raises(CannotPrune, match="too many ways"):
        channel_groups(*ready(lenet, IMAGES))
