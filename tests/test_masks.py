"""A mask says which units stay, and never lets a whole layer go unasked."""

import pytest
import torch

from prunekit.masks import Mask


def bools(*values):
    return torch.tensor(values, dtype=torch.bool)


def test_a_mask_counts_what_stays():
    mask = Mask({"a": bools(1, 0, 0, 1), "b": bools(1, 1)})
    assert (mask.total, mask.kept, mask.sparsity) == (6, 4, pytest.approx(1 / 3))
    assert repr(mask) == "Mask(a: 2/4, b: 2/2)"
    assert list(mask) == ["a", "b"]


def test_an_empty_mask_prunes_nothing():
    assert (Mask({}).total, Mask({}).sparsity) == (0, 0.0)


def test_a_mask_does_not_change_with_the_tensors_it_was_made_from():
    entry = bools(1, 1)
    mask = Mask({"a": entry})
    entry[0] = False
    assert mask.kept == 2


def test_only_bool_tensors_are_masks():
    with pytest.raises(TypeError, match="mask of a must be a bool tensor"):
        Mask({"a": torch.ones(2)})


def test_a_layer_that_would_vanish_keeps_its_best_unit_and_is_named():
    mask, rescued = Mask({"a": bools(0, 0, 0), "b": bools(0, 1)}, best={"a": 2, "b": 1}).floored()
    assert rescued == ("a",)
    assert mask["a"].tolist() == [False, False, True]
    assert mask["b"].tolist() == [False, True]
    assert mask.best == {"a": 2, "b": 1}


def test_where_the_best_is_not_known_the_first_unit_stays():
    assert Mask({"a": bools(0, 0)}).floored()[0]["a"].tolist() == [True, False]


def test_a_higher_floor_brings_back_the_best_and_then_the_first_units():
    mask, rescued = Mask({"a": bools(0, 0, 0, 0, 0), "b": bools(1, 0, 0, 0, 0)}, best={"a": 3, "b": 0}).floored(3)
    assert rescued == ("a", "b")
    assert mask["a"].tolist() == [True, True, False, True, False]
    assert mask["b"].tolist() == [True, True, True, False, False]


def test_a_layer_smaller_than_the_floor_stays_whole():
    mask, rescued = Mask({"a": bools(0, 0), "b": bools(1)}, best={"a": 1}).floored(5)
    assert rescued == ("a",)
    assert mask.kept == 3


def test_the_mask_itself_is_not_changed_by_its_floor():
    mask = Mask({"a": bools(0, 0)})
    mask.floored()
    assert mask.kept == 0


def test_masks_of_many_units_are_floored_at_once():
    mask, rescued = Mask({"w": torch.zeros(3000, 4000, dtype=torch.bool)}, best={"w": 5_000_001}).floored()
    assert rescued == ("w",)
    assert mask["w"].flatten().nonzero().item() == 5_000_001


def test_masks_laid_out_in_another_order_in_memory_are_floored_too():
    entry = torch.zeros(2, 3, 4, 5, dtype=torch.bool).to(memory_format=torch.channels_last)
    assert Mask({"w": entry}, best={"w": 7}).floored()[0]["w"].flatten().nonzero().item() == 7
