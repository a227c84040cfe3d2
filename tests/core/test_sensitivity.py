"""From the losses of single rows to a cut of them all."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prunekit.core.cut_table import CutTable
from prunekit.core.cuts import Cut
from prunekit.core.errors import BadSetting
from prunekit.core.sensitivity import Cell, added_up, allocation, keeping
from tests.toy_engine import ToyEngine

TOY = ToyEngine(rows=3)
TABLE = CutTable.from_plain(TOY.exploration("lenet-fashion", "magnitude", {"p": 1}, "channel", 0, 512)["table"])


def cell(row: str, sparsity: float, lost: int | None, n: int = 1000) -> Cell:
    """One that lost so many of the examples, of which nine in ten were right before."""
    units = int(TABLE.units[TABLE.names.index(row)])
    value = None if lost is None else 0.9 - lost / n
    return Cell(row, sparsity, 0 if lost is None else round(sparsity * units), units, value, value, value, n, 0.9)


def curve(row: str, **lost: int | None) -> list[Cell]:
    """The cells of a row: `p50=3` loses three examples at one half."""
    return [cell(row, int(name[1:]) / 100, count) for name, count in lost.items()]


def test_a_loss_is_the_difference_to_the_untouched_model_and_none_where_nothing_was_pruned():
    assert cell("conv1", 0.5, 12).drop == pytest.approx(0.012)
    assert cell("conv1", 0.5, -3).drop == pytest.approx(-0.003)
    assert cell("conv1", 0.1, None).drop is None


def test_the_most_units_go_that_the_losses_allow():
    curves = {
        "conv1": curve("conv1", p25=4, p50=9),  # 8 units
        "conv2": curve("conv2", p25=6, p50=7),  # 12 units
        "conv3": curve("conv3", p25=20, p50=40),  # 16 units
    }
    assert allocation(TABLE, curves, 0.010) == {"conv2": 0.5}
    assert allocation(TABLE, curves, 0.011) == {"conv1": 0.25, "conv2": 0.5}
    assert allocation(TABLE, curves, 0.003) == {}
    assert added_up(curves, {"conv1": 0.25, "conv2": 0.5}) == pytest.approx(0.011)


def test_exactly_what_is_allowed_may_be_lost():
    """Ten examples of a thousand are one point, whatever binary fractions make of it."""
    curves = {"conv1": curve("conv1", p50=3), "conv2": curve("conv2", p50=7)}
    assert allocation(TABLE, curves, 0.01) == {"conv1": 0.5, "conv2": 0.5}


def test_what_costs_nothing_goes_at_no_price():
    curves = {"conv1": curve("conv1", p25=0, p50=-2, p75=1), "conv2": curve("conv2", p10=None, p25=1)}
    assert allocation(TABLE, curves, 0.0) == {"conv1": 0.5}


def test_what_a_row_gained_pays_for_no_other():
    curves = {"conv1": curve("conv1", p50=-20), "conv2": curve("conv2", p50=12)}
    assert allocation(TABLE, curves, 0.01) == {"conv1": 0.5}
    assert added_up(curves, {"conv1": 0.5, "conv2": 0.5}) == pytest.approx(0.012)


def test_rows_that_are_not_measured_stay_whole():
    assert allocation(TABLE, {"conv1": [], "conv2": curve("conv2", p50=1)}, 0.01) == {"conv2": 0.5}
    assert allocation(TABLE, {}, 0.01) == {}


def test_other_targets_weigh_a_row_by_what_it_takes_away():
    """Of the toy's layers, the last one has the fewest MACs behind it for each of its channels."""
    curves = {"conv2": curve("conv2", p50=5), "conv3": curve("conv3", p50=5)}
    gone = {}
    for row in curves:
        kept = TABLE.kept(Cut(0.0, overrides={row: 0.5}))
        gone[row] = TABLE.costs.totals(TABLE.units)["macs"] - TABLE.costs.totals(kept)["macs"]
    assert allocation(TABLE, curves, 0.005, "macs") == {max(gone, key=gone.get): 0.5}
    assert allocation(TABLE, curves, 0.005, "sparsity") == {"conv3": 0.5}


LOSSES = st.lists(st.integers(-3, 12), min_size=2, max_size=3)


@settings(max_examples=60, deadline=None)
@given(st.tuples(LOSSES, LOSSES, LOSSES), st.integers(0, 20))
def test_no_choice_of_the_measured_sparsities_is_better(lost, allowed):
    """Against trying all of them."""
    curves = {
        row: [cell(row, 0.25 * (i + 1), count) for i, count in enumerate(counts)]
        for row, counts in zip(TABLE.names, lost, strict=True)
    }

    def worth(chosen) -> int:
        return sum(c.pruned for c in chosen if c)

    def price(chosen) -> int:
        return sum(max(round(1000 * c.drop), 0) for c in chosen if c)

    every = itertools.product(*([None, *cells] for cells in curves.values()))
    best = max(worth(chosen) for chosen in every if price(chosen) <= allowed)
    found = allocation(TABLE, curves, allowed / 1000)
    taken = [c for cells in curves.values() for c in cells if found.get(c.row) == c.sparsity]
    assert len(taken) == len(found)
    assert price(taken) <= allowed
    assert worth(taken) == best


def test_a_loss_that_is_no_number_is_refused():
    for wrong in (-0.01, np.inf, "much", None):
        with pytest.raises(BadSetting, match="loss to allow"):
            allocation(TABLE, {}, wrong)
    with pytest.raises(BadSetting, match="Target"):
        allocation(TABLE, {}, 0.01, "beauty")


@pytest.mark.parametrize(("dearer", "wanted"), [(1, 0.01 * 127 / 128), (2, 0.005), (3, 0.01 * 42 / 128)])
def test_a_search_comes_as_near_to_the_allowed_loss_as_halving_seven_times_does(dearer, wanted):
    """The whole cut loses so many times what its rows do."""
    assert keeping(0.01, lambda allowance: allowance, lambda cut: dearer * cut) == pytest.approx(wanted)


def test_a_search_says_when_nothing_keeps_the_loss_and_stops_where_it_has_to_wait():
    assert keeping(0.01, lambda allowance: allowance, lambda cut: 1.0) is None
    tried = []
    assert keeping(0.01, lambda allowance: tried.append(allowance) or allowance, lambda cut: None) == 0.005
    assert tried == [0.005]
