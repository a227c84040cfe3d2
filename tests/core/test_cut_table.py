"""From a cut to counts and costs, on a network one can multiply out in the head."""

import dataclasses
import json
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from prunekit.core.cut_table import EXACT_UNITS, QUANTITIES, Costs, CutTable, kept_ranks
from prunekit.core.cuts import SCOPES, Cut
from prunekit.core.errors import BadSetting
from prunekit.core.packing import pack, unpack


def two_layers() -> CutTable:
    """4 inputs -> "a", 3 units -> "b", 5 units -> 2 answers; a weight is a parameter, a MAC and 4 bytes.

    Axes: the inputs, a, b, the answers. Parameters: 4a + ab + 2b, and 7 of what no cut changes.
    """
    costs = Costs(
        growth=np.array([[0, 0], [1, 0], [0, 1], [0, 0]]),
        fixed=np.array([4, 0, 0, 2]),
        first=np.array([0, 1, 2]),
        second=np.array([1, 2, 3]),
        coefficients=np.array([[1, 1, 1, 4]] * 3),
        owner=np.array([0, 1, 2]),
        constant=np.array([7, 7, 0, 28]),
        layers=("a", "b", "answers"),
    )
    scores = {"a": np.array([1, 5, 9], dtype=np.float32), "b": np.array([0, 2, 2, 4, 6], dtype=np.float32)}
    return CutTable.of(scores, costs)


def test_costs_are_products_of_what_is_kept():
    costs = two_layers().costs
    assert costs.totals(np.array([3, 5])) == {"parameters": 44, "nonzero": 44, "macs": 37, "bytes": 176}
    assert costs.totals(np.array([2, 1])) == {"parameters": 19, "nonzero": 19, "macs": 12, "bytes": 76}


def test_costs_of_single_layers_leave_out_what_no_layer_owns():
    per_layer = two_layers().costs.per_layer(np.array([2, 4]))
    assert {layer: row["parameters"] for layer, row in per_layer.items()} == {"a": 8, "b": 8, "answers": 8}
    assert set(per_layer["a"]) == set(QUANTITIES)


def test_a_global_cut_takes_the_lowest_of_all_and_ties_in_order():
    table = two_layers()
    assert [table.pruned(Cut(n / 8)).tolist() for n in range(9)] == [
        [0, 0], [0, 1], [1, 1], [1, 2], [1, 3], [1, 4], [2, 4], [2, 5], [3, 5],
    ]  # fmt: skip


def test_a_layer_cut_takes_the_same_fraction_of_each():
    assert two_layers().pruned(Cut(0.4, "layer")).tolist() == [1, 2]


def test_an_isomorphic_cut_ranks_the_rows_of_one_kind_together_and_takes_the_same_fraction_of_each():
    rows = {"a": [1, 5, 9], "b": [0, 2, 2, 4, 6], "c": [7, 8]}
    rows = {name: np.array(row, dtype=np.float32) for name, row in rows.items()}
    table = CutTable.of(rows, two_layers().costs, {"a": "conv", "b": "linear", "c": "conv"})
    assert table.pruned(Cut(0.4, "isomorphic")).tolist() == [2, 2, 0]  # 2 of 1 5 7 8 9, and 2 of 0 2 2 4 6
    assert table.pruned(Cut(0.4, "isomorphic", locked=frozenset({"a"}))).tolist() == [0, 2, 1]


def test_without_kinds_rows_of_as_many_units_are_of_one():
    rows = {name: np.arange(units, dtype=np.float32) for name, units in (("a", 3), ("b", 5), ("c", 3))}
    assert CutTable.of(rows, two_layers().costs).kinds.tolist() == [0, 1, 0]


def test_locked_rows_and_rows_with_a_cut_of_their_own_do_not_count():
    table = two_layers()
    assert table.pruned(Cut(0.5, overrides={"a": 1.0})).tolist() == [3, 3]
    assert table.pruned(Cut(1.0, locked=frozenset({"a"}))).tolist() == [0, 5]
    assert table.pruned(Cut(1.0, overrides={"a": 0.0}, locked=frozenset({"b"}))).tolist() == [0, 0]


def test_a_unit_of_each_row_always_stays():
    table = two_layers()
    assert table.kept(Cut(1.0)).tolist() == [1, 1]
    assert table.kept(Cut(1.0, floor=4)).tolist() == [3, 4]
    assert table.sparsity(np.array([1, 1])) == 0.75


def test_the_threshold_lies_between_what_goes_and_what_stays():
    table = two_layers()
    assert table.threshold(Cut(0.4, "layer")).tolist() == [3.0, 2.0]
    assert table.threshold(Cut(0.0)).tolist() == [1.0, 0.0]
    above = table.threshold(Cut(1.0))
    assert above.tolist() == pytest.approx([9, 6])
    assert (above > [9, 6]).all()


def test_between_two_neighbours_of_float32_the_threshold_is_the_upper_one():
    low = np.float32(1)
    high = np.nextafter(low, np.float32(2))
    table = CutTable.of({"w": np.array([low, high])}, two_layers().costs)
    assert table.count_below(0, table.score_at(0, 1)) == 1


def test_counts_below_a_threshold_leave_out_what_equals_it():
    table = two_layers()
    assert [table.count_below(1, t) for t in (-1, 0, 0.5, 2, 2.5, 6, 7)] == [0, 0, 1, 1, 3, 4, 5]
    assert table.sparsity_below(5.0, Cut()) == 5 / 8
    assert table.sparsity_below(5.0, Cut(locked=frozenset({"a"}))) == 4 / 5
    assert table.sparsity_below(5.0, Cut(locked=frozenset({"a", "b"}))) == 0.0


def test_scores_for_drawing_are_all_of_them_or_evenly_spread():
    table = two_layers()
    assert table.scores_at(1, 100).tolist() == [0, 2, 2, 4, 6]
    assert table.scores_at(1, 3).tolist() == [0, 2, 6]


@pytest.mark.parametrize("target", ["parameters", "macs", "bytes"])
@pytest.mark.parametrize("scope", list(SCOPES))
@pytest.mark.parametrize("bounds", [{}, {"round_to": 2}, {"floor": 2}], ids=["free", "rounded", "floor"])
@pytest.mark.parametrize("amount", [0.0, 0.1, 0.25, 0.4])
def test_a_target_is_met_with_the_fewest_units(target, scope, bounds, amount):
    table = two_layers()
    solved = table.solve(target, amount, Cut(scope=scope, **bounds))
    whole = table.costs.totals(table.units)[target]

    def left(sparsity):
        return table.costs.totals(table.kept(Cut(sparsity, scope, **bounds)))[target]

    assert left(solved.sparsity) <= (1 - amount) * whole
    smaller = [n / 8 for n in range(9) if n / 8 < solved.sparsity]
    assert all(left(sparsity) > (1 - amount) * whole for sparsity in smaller)


def test_a_target_of_parameters_counts_non_zeros_only_where_zeros_stay_in_place():
    removed = two_layers().costs
    masked = dataclasses.replace(removed, coefficients=removed.coefficients * [0, 1, 1, 0])
    assert removed.quantity("parameters") == "parameters"
    assert masked.quantity("parameters") == "nonzero"
    assert masked.quantity("macs") == "macs"
    table = dataclasses.replace(two_layers(), costs=masked)
    kept = table.kept(table.solve("parameters", 0.5, Cut()))
    assert masked.totals(kept)["nonzero"] <= 22
    assert masked.totals(kept)["parameters"] == 7


def test_visitors_who_share_a_table_do_not_disturb_each_other():
    rows = {f"r{i}": np.sort(np.random.default_rng(i).random(200)).astype(np.float32) for i in range(12)}
    table = CutTable.of(rows, two_layers().costs, {name: name[-1] in "02468" for name in rows})
    cuts = [Cut(0.5, scope, locked=frozenset({f"r{i}"})) for i in range(12) for scope in ("global", "isomorphic")]
    alone = [table.pruned(cut).tolist() for cut in cuts]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(4) as threads:
            together = [list(threads.map(lambda cut: table.pruned(cut).tolist(), cuts)) for _turn in range(5)]
    finally:
        sys.setswitchinterval(before)
    assert together == [alone] * 5


def test_bytes_are_no_target_where_zeros_stay_in_place():
    removed = two_layers().costs
    masked = dataclasses.replace(removed, coefficients=removed.coefficients * [0, 1, 1, 0])
    assert (removed.leaves_zeros, masked.leaves_zeros) == (False, True)
    with pytest.raises(BadSetting, match="Zeros take as much room"):
        dataclasses.replace(two_layers(), costs=masked).solve("bytes", 0.5, Cut())


def test_a_target_of_units_is_the_sparsity_itself():
    assert two_layers().solve("sparsity", 0.3, Cut(0.9, "layer")) == Cut(0.3, "layer")


def test_a_target_keeps_locks_and_cuts_of_single_rows():
    solved = two_layers().solve("macs", 0.3, Cut(0.0, "global", {"b": 0.2}, frozenset({"a"})))
    assert (solved.overrides, solved.locked) == ({"b": 0.2}, frozenset({"a"}))


def test_where_even_everything_is_not_enough_everything_that_may_goes():
    table = two_layers()
    assert table.kept(table.solve("parameters", 1.0, Cut())).tolist() == [1, 1]
    assert table.kept(table.solve("parameters", 1.0, Cut(locked=frozenset({"a"})))).tolist() == [3, 1]


def test_nine_tenths_of_ten_leave_one():
    """(1 - 0.9) * 10 is less than 1 in binary, and 1 of 10 may stay all the same."""
    costs = Costs(
        np.eye(1), np.zeros(1), np.array([0]), np.array([-1]), np.ones((1, 4)), np.array([0]), np.zeros(4), ("w",)
    )
    table = CutTable.of({"w": np.arange(10, dtype=np.float32)}, costs)
    assert table.solve("parameters", 0.9, Cut()).sparsity == 0.9
    assert [table.pruned(table.solve("macs", n / 10, Cut())).item() for n in range(11)] == list(range(11))


def test_a_target_that_makes_no_sense_is_refused():
    for target in ("parameters", "sparsity"):
        with pytest.raises(BadSetting, match="between 0 and 1, not 2"):
            two_layers().solve(target, 2, Cut())
    with pytest.raises(BadSetting, match=r"Target must be one of .*, not “watts”"):
        two_layers().solve("watts", 0.5, Cut())


def test_a_table_goes_through_bytes_unchanged():
    large = np.sort(np.random.default_rng(0).random(EXACT_UNITS + 10, dtype=np.float32))
    table = CutTable.of({"a": np.arange(3, dtype=np.float32), "b": large}, two_layers().costs)
    again = CutTable.from_plain(unpack(pack(table.to_plain())))
    assert again.names == table.names
    for sparsity in (0.0, 0.1, 0.5, 1.0):
        assert again.pruned(Cut(sparsity)).tolist() == table.pruned(Cut(sparsity)).tolist()
        assert again.costs.totals(again.kept(Cut(sparsity))) == table.costs.totals(table.kept(Cut(sparsity)))
    plain = table.to_plain()
    assert len(plain["ranks"][0]) == 0
    json.dumps(plain["costs"]["layers"])


def test_a_row_of_many_units_keeps_few_scores_and_no_bucket_is_wider_than_a_quarter_thousandth():
    ordered = np.arange(1_000_000, dtype=np.float32)
    ranks = kept_ranks(ordered)
    assert ranks[0] == 0
    assert ranks[-1] == 999_999
    assert len(ranks) < 10_000
    assert np.diff(ranks).max() <= 250
    assert ranks[:20].tolist() == list(range(20))


def test_of_scores_that_tie_the_first_and_the_last_are_kept():
    ordered = np.repeat(np.arange(3, dtype=np.float32), [100_001, 7, 99_992])
    ranks = set(kept_ranks(ordered).tolist())
    assert {0, 100_000, 100_008, 199_999} <= ranks


def test_the_ranking_is_made_anew_when_other_rows_are_free():
    table = two_layers()
    for name in ("a", "b"):
        assert table.pruned(Cut(1.0, locked=frozenset({name}))).sum() == table.units.sum() - len(
            table.edges[table.names.index(name)]
        )
    assert table.pruned(Cut(0.5)).tolist() == [1, 3]
