"""Below the threshold everything goes; what equals it stays."""

import math

import pytest
import torch

from prunekit.core.errors import BadSetting, UnknownName
from prunekit.selection import prune_below

SCORES = {"a": torch.tensor([[1.0, 2.0], [3.0, 4.0]]), "b": torch.tensor([2.0, 5.0])}


def kept(mask):
    return {name: entry.int().tolist() for name, entry in mask.items()}


def test_what_scores_less_goes_and_what_equals_stays():
    assert kept(prune_below(SCORES, 2.0)) == {"a": [[0, 1], [1, 1]], "b": [1, 1]}
    assert kept(prune_below(SCORES, 4)) == {"a": [[0, 0], [0, 1]], "b": [0, 1]}


def test_each_row_may_have_a_threshold_of_its_own_and_the_others_stay_whole():
    assert kept(prune_below(SCORES, {"a": 4.5})) == {"a": [[0, 0], [0, 0]], "b": [1, 1]}


def test_locked_rows_stay_whole():
    assert kept(prune_below(SCORES, 100.0, locked=["a"])) == {"a": [[1, 1], [1, 1]], "b": [0, 0]}


def test_a_tenth_is_the_tenth_of_the_scores():
    """0.1 is not the same number in float32 and in Python; a score of 0.1 is not below a threshold of 0.1."""
    assert prune_below({"w": torch.tensor([0.1])}, 0.1).kept == 1
    assert prune_below({"w": torch.tensor([0.7])}, 0.7).kept == 1


@pytest.mark.parametrize(("threshold", "stay"), [(-math.inf, 6), (math.inf, 0), (1e300, 0), (-1e300, 6)])
def test_thresholds_beyond_all_scores_keep_or_prune_everything(threshold, stay):
    assert prune_below(SCORES, threshold).kept == stay


def test_the_mask_remembers_the_best_unit_of_each_layer():
    assert prune_below(SCORES, 100.0).best == {"a": 3, "b": 1}


@pytest.mark.parametrize("threshold", [math.nan, "high", None])
def test_a_threshold_that_is_no_number_is_refused(threshold):
    with pytest.raises(BadSetting, match="threshold of a must be a number"):
        prune_below(SCORES, threshold)


def test_a_misspelt_name_is_not_silently_passed_over():
    with pytest.raises(UnknownName, match="called “c”"):
        prune_below(SCORES, {"c": 1.0})
    with pytest.raises(UnknownName, match="called “c”"):
        prune_below(SCORES, 1.0, locked=["c"])
