"""What you see is what you get: the cut table's counts are those of the mask."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from prunekit.core.cut_table import EXACT_UNITS, Costs, CutTable
from prunekit.core.cuts import LANES, SCOPES, Cut
from prunekit.selection import prune_below, prune_cut, sorted_scores


def table_of(scores):
    """A table whose costs are simply the kept units."""
    rows = len(scores)
    costs = Costs(
        np.eye(rows), np.zeros(rows), np.arange(rows), np.full(rows, -1), np.ones((rows, 4)), np.arange(rows),
        np.zeros(4), tuple(scores),
    )  # fmt: skip
    return CutTable.of(sorted_scores(scores), costs, KIND_OF, {name: entry.shape for name, entry in scores.items()})


KIND_OF = {"a": "x", "b": "y", "c": "x", "d": "y", "e": "x", "f": "z", "w": "x"} | {
    f"row{i}": "xyx"[i % 3] for i in range(6)
}


def gone(mask):
    return [entry.numel() - int(entry.sum()) for entry in mask.values()]


fractions = st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(0, 1))
values = st.one_of(st.integers(-2, 2).map(float), st.floats(-1e6, 1e6, width=32))


@st.composite
def scores_and_cuts(draw):
    names = draw(st.lists(st.sampled_from("abcdef"), min_size=1, unique=True))
    scores = {name: torch.tensor(draw(st.lists(values, min_size=1, max_size=25))) for name in names}
    # Some as tensors with more than one side, which matters to ERK and to N of M.
    scores = {name: row.reshape(2, -1) if len(row) % 2 == 0 else row for name, row in scores.items()}
    overrides = draw(st.dictionaries(st.sampled_from(names), fractions, max_size=2))
    locked = draw(st.frozensets(st.sampled_from(names)))
    round_to, floor = draw(st.sampled_from([1, 1, 4, 8])), draw(st.sampled_from([1, 1, 2, 5]))
    return scores, Cut(draw(fractions), draw(st.sampled_from(list(SCOPES))), overrides, locked, round_to, floor)


@given(scores_and_cuts())
def test_the_table_counts_exactly_what_the_mask_prunes(case):
    scores, cut = case
    table = table_of(scores)
    assert table.pruned(cut).tolist() == gone(prune_cut(scores, cut, KIND_OF))
    assert table.kept(cut).tolist() == [int(e.sum()) for e in prune_cut(scores, cut, KIND_OF).floored()[0].values()]


@given(scores_and_cuts())
def test_a_row_that_is_cut_keeps_a_multiple_and_the_floor(case):
    scores, cut = case
    ranked = prune_cut(scores, dataclasses.replace(cut, round_to=1, floor=1), KIND_OF)
    for name, entry in prune_cut(scores, cut, KIND_OF).items():
        units, kept, before = entry.numel(), int(entry.sum()), int(ranked[name].sum())
        if not cut.is_bounded or before == units:
            assert kept == before
            continue
        assert kept == units or kept % cut.round_to == 0
        assert kept >= min(cut.floor, units)
        if cut.floor == 1:
            assert abs(kept - before) <= cut.round_to / 2 or kept in (cut.round_to, units)


@given(scores_and_cuts())
def test_of_a_row_that_is_rounded_the_highest_scores_stay(case):
    scores, cut = case
    for name, keep in prune_cut(scores, cut, KIND_OF).items():
        if keep.any() and not keep.all() and cut.scope not in LANES:
            assert scores[name][keep].min() >= scores[name][~keep].max()


@given(scores_and_cuts(), st.one_of(st.integers(-3, 3), st.floats(-2e6, 2e6)))
def test_the_table_counts_exactly_what_lies_below_a_threshold(case, threshold):
    scores, _cut = case
    table = table_of(scores)
    counts = [table.count_below(row, threshold) for row in range(len(scores))]
    assert counts == gone(prune_below(scores, threshold))


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=25, unique=True), fractions)
def test_pruning_below_the_threshold_shown_prunes_the_count_shown(scores, sparsity):
    table = table_of({"w": torch.tensor(scores)})
    cut = Cut(sparsity)
    mask = prune_below({"w": torch.tensor(scores)}, float(table.threshold(cut)[0]))
    assert gone(mask) == table.pruned(cut).tolist()


def drawn(kind: str, size: int, seed: int) -> torch.Tensor:
    normal = torch.randn(size, generator=torch.Generator().manual_seed(seed)).abs()
    return {
        "normal": normal,
        "fan-in": normal / size**0.5,
        "heavy": normal**6,
        "ties": (normal * 4).round(),
        "mostly zero": normal * (normal > 1),
    }[kind]


KINDS = ["normal", "fan-in", "heavy", "ties", "mostly zero"]
SPARSITIES = [0.001, 0.05, 0.3, 0.5, 0.777, 0.95, 0.999]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sizes", [(400_000,), (140_000,) * 6, (1_728, 36_864, EXACT_UNITS, EXACT_UNITS + 1, 600_000)])
def test_of_large_rows_the_table_is_right_to_a_thousandth_of_each(kind, sizes):
    scores = {f"row{i}": drawn(kind, size, seed=i) for i, size in enumerate(sizes)}
    table = table_of(scores)
    for scope in SCOPES:
        for sparsity in SPARSITIES:
            counts, true = table.pruned(Cut(sparsity, scope)), gone(prune_cut(scores, Cut(sparsity, scope), KIND_OF))
            assert counts.sum() == sum(true)
            for count, exactly, size in zip(counts, true, sizes, strict=True):
                # A small row beside large ones takes over how far their threshold is off.
                assert abs(count - exactly) <= max(2, size / 1000)


@pytest.mark.parametrize("kind", KINDS)
def test_a_threshold_on_a_large_row_is_right_to_a_thousandth(kind):
    scores = {"w": drawn(kind, 400_000, seed=0)}
    table = table_of(scores)
    for threshold in np.quantile(scores["w"].numpy(), SPARSITIES):
        for near in (threshold, threshold * 1.001, threshold * 0.999):
            assert abs(table.count_below(0, near) - gone(prune_below(scores, near))[0]) <= 400


def test_the_lowest_and_the_highest_scores_of_a_large_row_are_counted_one_by_one():
    table = table_of({"w": torch.arange(1_000_000.0)})
    assert [table.count_below(0, t) for t in (-1e300, 0, 1, 2, 999_998, 999_999, 1e300)] == [
        0, 0, 1, 2, 999_998, 999_999, 1_000_000,
    ]  # fmt: skip
