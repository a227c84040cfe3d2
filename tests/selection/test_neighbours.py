"""N of M: of each group of neighbouring inputs the same number stays, the highest ones."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from prunekit.core.cuts import LANES, Cut, exact_count
from prunekit.selection import order_of, prune_cut, prune_lowest


def kept(scores: torch.Tensor, sparsity: float, scope: str = "n:4") -> torch.Tensor:
    return prune_lowest({"w": scores}, sparsity, scope)["w"]


def test_two_of_four_neighbours_go_the_lower_ones():
    scores = torch.tensor([[1.0, 2, 3, 4, 9, 8, 7, 6], [5, 1, 4, 2, 0, 0, 0, 0]])
    assert kept(scores, 0.5).int().tolist() == [[0, 0, 1, 1, 1, 1, 0, 0], [1, 0, 1, 0, 0, 0, 1, 1]]
    assert kept(scores, 0.25)[0].int().tolist() == [0, 1, 1, 1, 1, 1, 1, 0]
    assert kept(scores, 0.5, "n:8").int()[0].tolist() == [0, 0, 0, 0, 1, 1, 1, 1]


def test_neighbours_of_a_filter_are_inputs_at_the_same_place_of_the_kernel():
    scores = torch.arange(8.0).reshape(1, 4, 1, 2)  # at each of two places inputs 0, 2, 4, 6 and 1, 3, 5, 7
    assert kept(scores, 0.5)[0, :, 0].int().tolist() == [[0, 0], [0, 0], [1, 1], [1, 1]]


def test_a_short_group_at_the_end_counts_as_filled_up_with_zeros():
    scores = torch.arange(1.0, 8).reshape(1, 7)
    assert kept(scores, 0.5).int().tolist() == [[0, 0, 1, 1, 0, 1, 1]]  # of three one goes, and two stay
    assert kept(scores, 0.75).int().tolist() == [[0, 0, 0, 1, 0, 0, 1]]
    # Three input channels: 2:4 sparsity takes one of them.
    assert kept(torch.rand(4, 3, 3, 3), 0.5).sum() == 4 * 2 * 9


def test_sparsities_between_the_multiples_go_to_the_nearest_one():
    scores = torch.rand(2, 8)
    assert [int((~kept(scores, s)).sum()) for s in (0.1, 0.125, 0.3, 0.5, 0.9)] == [0, 4, 4, 8, 16]
    assert [int((~kept(scores, s, "n:8")).sum()) for s in (0.1, 0.3, 0.5)] == [2, 4, 8]


values = st.integers(-2, 2).map(float)


@st.composite
def tensors(draw):
    shape = draw(st.lists(st.integers(1, 11), min_size=1, max_size=4))
    size = int(torch.tensor(shape).prod())
    seed = draw(st.integers(0, 99))
    few = torch.randint(-2, 3, (size,), generator=torch.Generator().manual_seed(seed))
    return few.float().reshape(shape)  # scores tie all the time


@given(tensors(), st.floats(0, 1), st.sampled_from(list(LANES)))
def test_no_group_keeps_more_than_its_number_and_none_that_scores_less_than_one_that_goes(scores, sparsity, scope):
    group, stay = LANES[scope], LANES[scope] - exact_count(sparsity, LANES[scope])
    mask = kept(scores, sparsity, scope)
    lanes, flags = (t.movedim(1, -1) if t.dim() > 1 else t for t in (scores, mask))
    for first in range(0, lanes.shape[-1], group):
        own, flag = lanes[..., first : first + group], flags[..., first : first + group]
        assert (flag.sum(-1) == min(stay, own.shape[-1])).all()
        highest_gone = torch.where(flag, -9, own).amax(-1)
        lowest_kept = torch.where(flag, own, 9).amin(-1)
        assert (highest_gone <= lowest_kept).all()


def test_locks_and_own_sparsities_are_kept():
    scores = {name: torch.rand(4, 8) for name in ("a", "b", "c")}
    mask = prune_cut(scores, Cut(0.5, "n:4", {"b": 0.25}, frozenset({"c"})))
    assert [int(entry.sum()) for entry in mask.values()] == [16, 24, 32]


@pytest.mark.parametrize("floor", [3, 20, 29, 40])
def test_what_the_floor_brings_back_are_the_highest_of_their_groups(floor):
    scores = {"w": torch.rand(4, 8, generator=torch.Generator().manual_seed(floor))}
    alone, held = (prune_cut(scores, Cut(0.5, "n:4", floor=n))["w"] for n in (1, floor))
    assert held.sum() == max(16, min(floor, 32))
    assert held[alone].all(), "something goes that stays without the floor"
    assert torch.equal(held, order_of(scores["w"], "n:4") >= 32 - held.sum())


@pytest.mark.parametrize("scope", LANES)
def test_the_floor_holds_where_everything_would_go(scope):
    mask, rescued = prune_cut({"w": torch.rand(4, 8)}, Cut(1.0, scope)).floored()
    assert (mask.kept, rescued) == (1, ("w",))
