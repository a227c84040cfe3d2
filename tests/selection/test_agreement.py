"""How far two criteria, or two cuts, agree."""

import pytest
import torch

from prunekit.selection import agreement, overlap, rank_correlation


def test_the_same_order_is_1_whatever_the_scores_and_the_reverse_is_minus_1():
    one = torch.tensor([0.1, 0.2, 0.4, 0.3])
    assert rank_correlation(one, one.exp() * 1000) == pytest.approx(1)
    assert rank_correlation(one, -one) == pytest.approx(-1)


def test_one_exchange_of_neighbours_by_hand():
    # 1 - 6 * sum of squared differences of ranks / (n * (n² - 1)) = 1 - 6 * 2 / (4 * 15)
    assert rank_correlation(torch.tensor([1.0, 2, 3, 4]), torch.tensor([1.0, 3, 2, 4])) == pytest.approx(0.8)


def test_units_that_tie_share_their_mean_rank():
    # Ranks 1.5, 1.5, 3 against 1, 2, 3: covariance 1.5 over the root of 1.5 * 2.
    assert rank_correlation(torch.tensor([5.0, 5, 9]), torch.tensor([1.0, 2, 3])) == pytest.approx(1.5 / 3**0.5)


@pytest.mark.parametrize("scores", [[1.0], [2.0, 2.0, 2.0], []])
def test_without_an_order_nothing_is_said(scores):
    assert rank_correlation(torch.tensor(scores), torch.tensor(range(len(scores))).float()) is None


def test_matrices_are_compared_entry_by_entry():
    one, other = torch.rand(30, 20), torch.rand(30, 20)
    assert rank_correlation(one, other) == pytest.approx(rank_correlation(one.flatten(), other.flatten()))


def test_of_very_many_units_a_sample_tells_as_much(monkeypatch):
    generator = torch.Generator().manual_seed(0)
    one = torch.randn(20_000, generator=generator)
    other = one + torch.randn(20_000, generator=generator)
    whole = rank_correlation(one, other)
    monkeypatch.setattr(agreement, "SAMPLE", 5000)
    assert rank_correlation(one, other) == pytest.approx(whole, abs=0.03)


def test_units_are_counted_by_who_keeps_them():
    one, other = torch.tensor([[True, True, False], [False, True, False]]), torch.tensor([[True, False, True]] * 2)
    assert overlap(one, other) == {"both": 1, "only_a": 2, "only_b": 3, "neither": 0}
