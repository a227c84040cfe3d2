"""Numbers as people read them."""

import pytest

from prunekit.core.amounts import compact, loss_text, metric_text, percent, size, times


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (999, "999"), (1000, "1.00 k"), (44_426, "44.4 k"), (999_960, "1.00 M"), (138_357_544, "138 M")],
)
def test_counts_have_three_digits_and_a_unit(number, text):
    assert compact(number) == text


def test_a_percentage_is_never_rounded_to_all_or_nothing():
    assert [percent(f) for f in (0, 0.0001, 0.373, 0.9999, 1)] == ["0 %", "0.1 %", "37.3 %", "99.9 %", "100 %"]


def test_sizes_are_in_powers_of_ten():
    assert [size(n) for n in (12, 1000, 470_016, 553_000_000)] == ["12 bytes", "1.00 KB", "470 KB", "553 MB"]


def test_half_of_the_work_is_two_times_fewer():
    assert times(10, 5) == "2.00×"
    assert times(10, 0) == "∞"


def test_a_metric_is_a_percentage_only_where_it_is_a_fraction():
    assert metric_text(0.914, as_percent=True) == "91.4 %"
    assert metric_text(0.914, as_percent=False) == "0.914"


@pytest.mark.parametrize(
    ("drop", "as_percent", "words"),
    [
        (0.0004, True, "nothing"),
        (0.012, True, "1.2 points"),
        (-0.012, True, "nothing (it gains 1.2 points)"),
        (0.012, False, "0.012"),
    ],
)
def test_a_loss_is_in_points_of_a_percentage_where_the_metric_is_one(drop, as_percent, words):
    assert loss_text(drop, as_percent) == words
