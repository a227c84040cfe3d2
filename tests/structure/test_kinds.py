"""Rows of one kind: told apart by the types, kernels and roles of their layers, not by their sizes."""

import torch
from torch import nn

from prunekit.models import build, load_model
from prunekit.scoring import score
from prunekit.selection import prune_lowest
from prunekit.structure import channel_groups, example_inputs_of, group_kinds, weight_kinds


def chain() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.Conv2d(4, 6, 3), nn.Conv2d(6, 8, 1), nn.Flatten(), nn.Linear(8 * 16, 5), nn.Linear(5, 2)
    )


def test_weights_are_of_one_kind_by_type_and_kernel():
    assert weight_kinds(chain()) == {
        "0.weight": "Conv2d 3x3",
        "1.weight": "Conv2d 3x3",
        "2.weight": "Conv2d 1x1",
        "4.weight": "Linear",
        "5.weight": "Linear",
    }


def test_groups_are_of_one_kind_by_what_hangs_together_in_them():
    model = chain()
    groups = [group for group in channel_groups(model, torch.zeros(2, 3, 8, 8)) if group.prunable]
    assert group_kinds(model, groups) == {
        "0": "Conv2d 3x3 out, Conv2d 3x3 in",
        "1": "Conv2d 3x3 out, Conv2d 1x1 in",
        "2": "Conv2d 1x1 out, Linear in",
        "4": "Linear out, Linear in",
    }


def test_the_insides_of_all_blocks_of_a_resnet_are_of_one_kind_and_no_stage_is():
    model = load_model("resnet20-cifar10")
    groups = [group for group in channel_groups(model, example_inputs_of(model)) if group.prunable]
    kinds = group_kinds(model, groups)
    inside = {name for name in kinds if name.endswith(".conv1")}
    assert len(inside) == 9
    assert len({kinds[name] for name in inside}) == 1
    along = set(kinds) - inside
    assert along
    assert not {kinds[name] for name in along} & {kinds[name] for name in inside}


def test_isomorphic_ranks_the_layers_of_one_kind_together_and_takes_the_same_share_of_each():
    model = build("resnet", {"depth": 8, "width": 4, "classes": 3, "input_shape": [3, 8, 8]})
    scores = score(model, "magnitude", granularity="channel")
    mask = prune_lowest(scores, 0.5, "isomorphic", kinds=scores.kinds)
    for kind in set(scores.kinds.values()):
        entries = [name for name in scores if scores.kinds[name] == kind]
        kept = torch.cat([scores[name][mask[name]] for name in entries])
        gone = torch.cat([scores[name][~mask[name]] for name in entries])
        assert len(gone) in (len(kept), len(kept) + 1)
        assert gone.max() <= kept.min()
