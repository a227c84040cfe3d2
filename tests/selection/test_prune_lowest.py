"""Asked for a fraction, exactly that many units go, and always the lowest ones."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from prunekit.core.cuts import Cut, exact_count
from prunekit.core.errors import BadSetting, UnknownName
from prunekit.selection import prune_cut, prune_lowest
from prunekit.selection.ranking import SMALL, kth_lowest

TEN = {"fc.weight": torch.arange(1.0, 11.0).reshape(2, 5)}

# Few different values, so that scores tie all the time.
rows = st.dictionaries(
    st.sampled_from(["conv1", "conv2", "fc1", "fc2"]),
    st.lists(st.integers(-3, 3), min_size=1, max_size=30),
    min_size=1,
)
fractions = st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(0, 1))


@st.composite
def scores_and_cuts(draw):
    scores = {name: torch.tensor(values, dtype=torch.float32) for name, values in draw(rows).items()}
    names = st.sampled_from(list(scores))
    overrides = draw(st.dictionaries(names, fractions, max_size=2))
    cut = Cut(draw(fractions), draw(st.sampled_from(["global", "layer"])), overrides, draw(st.frozensets(names)))
    return scores, cut


def pruned(mask, name):
    return (~mask[name]).flatten().nonzero().flatten().tolist()


def test_asked_for_a_fifth_of_ten_weights_exactly_two_go():
    mask = prune_lowest(TEN, sparsity=0.2)
    assert pruned(mask, "fc.weight") == [0, 1]
    assert mask["fc.weight"].shape == (2, 5)
    assert mask.sparsity == pytest.approx(0.2)


def test_asked_for_nothing_all_stay_and_asked_for_everything_all_go():
    assert prune_lowest(TEN, 0.0).kept == 10
    assert prune_lowest(TEN, 1.0).kept == 0


def test_of_ten_weights_that_tie_the_first_two_go():
    assert pruned(prune_lowest({"w": torch.ones(10)}, 0.2), "w") == [0, 1]


def test_ties_across_layers_go_in_the_order_of_the_layers():
    mask = prune_lowest({"b": torch.tensor([1.0, 0.0, 1.0]), "a": torch.tensor([1.0, 1.0])}, 0.6)
    assert pruned(mask, "b") == [0, 1, 2]
    assert pruned(mask, "a") == []


def test_global_scope_ranks_layers_together_and_layer_scope_each_alone():
    scores = {"small": torch.tensor([1.0, 2.0]), "large": torch.tensor([10.0, 20.0])}
    together, alone = prune_lowest(scores, 0.5), prune_lowest(scores, 0.5, scope="layer")
    assert (pruned(together, "small"), pruned(together, "large")) == ([0, 1], [])
    assert (pruned(alone, "small"), pruned(alone, "large")) == ([0], [0])


def test_a_layer_with_a_cut_of_its_own_and_a_locked_one_do_not_count():
    scores = {"own": torch.arange(4.0), "locked": torch.arange(4.0), "free": torch.arange(4.0)}
    mask = prune_lowest(scores, 0.5, overrides={"own": 0.25}, locked=["locked"])
    assert [len(pruned(mask, name)) for name in scores] == [1, 0, 2]


def test_a_lock_is_stronger_than_a_cut_of_its_own():
    assert prune_lowest(TEN, 0.5, overrides={"fc.weight": 1.0}, locked=["fc.weight"]).kept == 10


def test_the_mask_remembers_the_best_unit_of_each_layer():
    assert prune_lowest({"a": torch.tensor([[1.0, 9.0], [9.0, 3.0]])}, 1.0).best == {"a": 1}


@given(scores_and_cuts())
def test_the_counts_are_exact(case):
    scores, cut = case
    mask = prune_cut(scores, cut)
    sizes = {name: entry.numel() for name, entry in scores.items()}
    free = [name for name in scores if cut.is_free(name)]
    for name in scores:
        if name in cut.locked:
            assert len(pruned(mask, name)) == 0
        elif name in cut.overrides:
            assert len(pruned(mask, name)) == exact_count(cut.overrides[name], sizes[name])
        elif cut.scope == "layer":
            assert len(pruned(mask, name)) == exact_count(cut.sparsity, sizes[name])
    if cut.scope == "global":
        wanted = exact_count(cut.sparsity, sum(sizes[name] for name in free))
        assert sum(len(pruned(mask, name)) for name in free) == wanted


@given(scores_and_cuts())
def test_nothing_that_stays_scores_less_than_what_goes(case):
    scores, cut = case
    mask = prune_cut(scores, cut)
    free = [name for name in scores if cut.is_free(name)]
    ranked_together = [free] if cut.scope == "global" else [[name] for name in free]
    ranked_together += [[name] for name in cut.overrides]
    for names in ranked_together:
        kept = torch.cat([scores[n][mask[n]] for n in names] or [torch.empty(0)])
        gone = torch.cat([scores[n][~mask[n]] for n in names] or [torch.empty(0)])
        assert not len(kept) or not len(gone) or kept.min() >= gone.max()


@given(scores_and_cuts())
def test_ties_go_in_order_of_rows_and_units(case):
    """The whole rule at once, against a stable sort of everything."""
    scores, cut = case
    mask = prune_lowest(scores, cut.sparsity)
    places = [(float(value), r, i) for r, row in enumerate(scores.values()) for i, value in enumerate(row)]
    wanted = sorted(places)[: exact_count(cut.sparsity, len(places))]
    found = [(float(scores[n][i]), r, i) for r, n in enumerate(scores) for i in pruned(mask, n)]
    assert sorted(found) == wanted


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.int64])
def test_scores_of_any_kind_are_ranked(dtype):
    assert pruned(prune_lowest({"w": torch.tensor([3, 1, 2, 0]).to(dtype)}, 0.5), "w") == [1, 3]


def test_differences_too_small_for_float32_count_where_scores_are_finer():
    scores = {"w": torch.tensor([1.0 + 1e-12, 1.0], dtype=torch.float64)}
    assert pruned(prune_lowest(scores, 0.5), "w") == [1]


def test_scores_laid_out_in_another_order_in_memory_are_the_same_scores():
    scores = torch.arange(24.0).reshape(1, 2, 3, 4)
    mask = prune_lowest({"w": scores.to(memory_format=torch.channels_last)}, 0.25)
    assert pruned(mask, "w") == [0, 1, 2, 3, 4, 5]
    assert mask.best == {"w": 23}


def test_no_scores_make_an_empty_mask():
    assert len(prune_lowest({}, 0.5)) == 0
    assert prune_lowest({"empty": torch.empty(0), "w": torch.ones(2)}, 0.5).kept == 1


def test_the_scores_are_left_as_they_are():
    scores = {"w": torch.tensor([3.0, 1.0, 2.0])}
    prune_lowest(scores, 0.5)
    assert scores["w"].tolist() == [3, 1, 2]


@pytest.mark.parametrize("sparsity", [-0.1, 1.1, 2, float("nan"), "half", None, True])
def test_a_fraction_that_is_none_is_refused_in_one_sentence(sparsity):
    with pytest.raises(BadSetting, match="Sparsity must be between 0 and 1"):
        prune_lowest(TEN, sparsity)
    with pytest.raises(BadSetting, match=r"The sparsity of fc\.weight must be between 0 and 1"):
        prune_lowest(TEN, 0.5, overrides={"fc.weight": sparsity})


def test_another_scope_is_refused():
    with pytest.raises(BadSetting, match="Scope must be one of global, isomorphic, layer, erk, n:4, n:8, not “local”"):
        prune_lowest(TEN, 0.5, scope="local")


def test_a_score_that_is_not_a_number_is_refused():
    with pytest.raises(BadSetting, match="scores of w hold a value that is not a number"):
        prune_lowest({"w": torch.tensor([1.0, float("nan")])}, 0.0)


@pytest.mark.parametrize("asked", [{"overrides": {"fc": 0.5}}, {"locked": ["fc"]}])
def test_a_misspelt_name_is_not_silently_passed_over(asked):
    with pytest.raises(UnknownName, match=r"called “fc”; choose one of: fc\.weight"):
        prune_lowest(TEN, 0.5, **asked)


@pytest.mark.parametrize("kind", ["spread", "sorted", "ties", "two values"])
def test_large_rows_are_ranked_as_exactly_as_small_ones(kind):
    size = SMALL + SMALL // 2
    values = torch.rand(size, generator=torch.Generator().manual_seed(0))
    if kind == "sorted":
        values = values.sort().values
    elif kind == "ties":
        values = (values * 10).round()
    elif kind == "two values":
        values = (values < 0.001).float()
    scores = {"a": values[:1000], "b": values[1000:]}
    arrays = [row.numpy() for row in scores.values()]
    ordered = values.sort().values
    for k in (1, 1000, size // 2, size):
        assert kth_lowest(arrays, k) == ordered[k - 1]
    order = values.argsort(stable=True)  # ties in the order of the rows and their units
    for sparsity in (1e-6, 0.3, 0.9985, 1 - 1e-6):
        mask = prune_lowest(scores, sparsity)
        gone = torch.cat([~entry for entry in mask.values()]).nonzero().flatten()
        assert torch.equal(gone, order[: exact_count(sparsity, size)].sort().values)
