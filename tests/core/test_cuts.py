"""The one rule from fractions to exact counts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunekit.core.cuts import Cut, Row, check_fits, check_fraction, erk_sparsities, exact_count
from prunekit.core.errors import BadSetting


@pytest.mark.parametrize(
    ("fraction", "units", "count"),
    [(0.2, 10, 2), (0.25, 10, 3), (0.35, 10, 4), (0.05, 10, 1), (0.04, 10, 0), (0.0, 7, 0), (1.0, 7, 7), (0.5, 0, 0)],
)
def test_a_fraction_is_rounded_half_up_to_whole_units(fraction, units, count):
    assert exact_count(fraction, units) == count


@given(st.integers(1, 200_000_000), st.data())
def test_every_count_can_be_asked_for_as_a_fraction(units, data):
    count = data.draw(st.integers(0, units))
    assert exact_count(count / units, units) == count


@given(st.floats(0, 1), st.integers(0, 1000))
def test_a_count_is_never_more_than_half_a_unit_off(fraction, units):
    assert abs(exact_count(fraction, units) - fraction * units) <= 0.5 + 1e-6


@pytest.mark.parametrize("number", [0, 1, 0.5, np.float32(0.5), np.float64(0.5), np.int64(1)])
def test_numbers_of_any_kind_are_fractions(number):
    check_fraction(number, "It")


@pytest.mark.parametrize("other", [-0.01, 1.01, float("nan"), "0.5", None, True])
def test_anything_outside_zero_to_one_is_refused(other):
    with pytest.raises(BadSetting, match=r"^It must be between 0 and 1, not .*\.$"):
        check_fraction(other, "It")


def test_erk_takes_densities_in_proportion_to_sides_over_weights():
    # Tensors of 2 x 8 and 8 x 8: 10 / 16 and 16 / 64. Half of 80 weights is 40 = scale * (10 + 16).
    assert erk_sparsities(0.5, [16, 64], [10, 16]) == pytest.approx([1 - 10 / 16 * 40 / 26, 1 - 16 / 64 * 40 / 26])
    # At 30 % the first would keep more than it has: it stays whole, and the second keeps 56 - 16 of its 64.
    assert erk_sparsities(0.3, [16, 64], [10, 16]) == pytest.approx([0, 1 - 40 / 64])


@given(st.floats(0, 1), st.lists(st.tuples(st.integers(1, 300), st.integers(1, 300)), min_size=1, max_size=8))
def test_erk_keeps_as_many_weights_as_it_was_asked_to(sparsity, shapes):
    units, sides = [a * b for a, b in shapes], [a + b for a, b in shapes]
    shares = erk_sparsities(sparsity, units, sides)
    assert all(-1e-9 <= share <= 1 + 1e-9 for share in shares)
    assert sum(share * n for share, n in zip(shares, units, strict=True)) == pytest.approx(sparsity * sum(units))


@pytest.mark.parametrize(
    ("granularities", "scope", "target", "words"),
    [
        ({"channel"}, "erk", "sparsity", "ERK shares the sparsity out"),
        ({"weight", "channel"}, "erk", "sparsity", "ERK shares the sparsity out"),
        ({"channel"}, "n:4", "sparsity", "N of M is about neighbouring weights"),
        ({"kernel"}, "n:8", "sparsity", "N of M is about neighbouring weights"),
        ({"weight"}, "global", "bytes", "Zeros take as much room"),
        ({"channel", "tile"}, "global", "bytes", "Zeros take as much room"),
    ],
)
def test_a_scope_or_a_target_that_makes_no_sense_for_a_granularity_is_refused(granularities, scope, target, words):
    with pytest.raises(BadSetting, match=words):
        check_fits(granularities, scope, target)
    check_fits({"weight"}, "erk", "parameters")
    check_fits({"channel"}, "isomorphic", "bytes")


def test_a_cut_knows_which_rows_follow_the_whole_net():
    cut = Cut(0.5, overrides={"own": 0.2}, locked=frozenset({"locked"}))
    assert [cut.is_free(name) for name in ("free", "own", "locked")] == [True, False, False]
    own, locked = (Row.of(name, 0, (10,)) for name in ("own", "locked"))
    assert (cut.own_count(own), cut.own_count(locked)) == (2, 0)


@pytest.mark.parametrize(
    ("pruned", "units", "round_to", "floor", "gone"),
    [
        (5, 16, 8, 1, 8),  # 11 of 16 would stay: nearer to 8 than to 16
        (4, 16, 8, 1, 0),  # 12 is as near to both: the larger one
        (14, 16, 8, 1, 8),  # 2 would stay: a multiple at least
        (16, 16, 8, 1, 8),
        (3, 10, 8, 1, 2),
        (1, 10, 8, 1, 2),  # 9 would stay
        (3, 6, 8, 1, 0),  # no multiple fits
        (0, 10, 8, 1, 0),  # nothing was to go: 10 stay, multiple or not
        (9, 10, 1, 4, 6),
        (9, 10, 1, 40, 0),
        (14, 32, 8, 12, 16),
        (30, 32, 8, 12, 16),  # the floor of 12 is rounded up
        (10, 10, 1, 1, 10),  # the floor of one is kept where a mask meets a model
    ],
)
def test_what_stays_is_rounded_and_not_below_the_floor(pruned, units, round_to, floor, gone):
    assert Cut(round_to=round_to, floor=floor).bounded(pruned, units) == gone


@given(st.integers(0, 300), st.data())
def test_more_pruned_before_rounding_is_never_less_after_it(units, data):
    cut = Cut(round_to=data.draw(st.integers(1, 20)), floor=data.draw(st.integers(1, 40)))
    counts = [cut.bounded(pruned, units) for pruned in range(units + 1)]
    assert counts == sorted(counts)


@pytest.mark.parametrize("bounds", [{"round_to": 0}, {"round_to": 2.5}, {"floor": -1}, {"floor": True}])
def test_rounding_and_floor_are_whole_numbers(bounds):
    with pytest.raises(BadSetting, match="must be a whole number from 1 on"):
        Cut(**bounds)


def test_a_cut_goes_through_plain_values_unchanged():
    cut = Cut(0.3, "layer", {"a": 0.5}, frozenset({"c", "b"}), 8, 2)
    assert cut.to_plain()["locked"] == ["b", "c"]
    assert Cut.from_plain(cut.to_plain()) == cut
