"""The line of numbers: what a cut leaves."""

import numpy as np

from prunekit.core.cut_table import CutTable
from prunekit.core.cuts import Cut
from prunekit.ui.panels.numbers import Outlook, _beside, _sparsity_beside
from tests.toy_engine import ToyEngine


def outlook(granularity: str, cut: Cut) -> Outlook:
    answer = ToyEngine(2).exploration("lenet-fashion", "magnitude", {}, granularity, 0, 1)
    return Outlook.of(CutTable.from_plain(answer["table"]), cut)


def test_half_of_eight_and_of_twelve_channels_leaves_the_products_of_four_and_six():
    # conv1 is 9 weights from 1 to 8 channels, conv2 from 8 to 12; each weight is used at 64 places.
    half = outlook("channel", Cut(0.5, "layer"))
    assert half.kept.tolist() == [4, 6]
    assert half.before["parameters"] == 9 * (1 * 8 + 8 * 12)
    assert half.after["parameters"] == 9 * (1 * 4 + 4 * 6)
    assert half.after["macs"] == 64 * half.after["parameters"]


def test_zeros_leave_parameters_and_bytes_as_they_are():
    half = outlook("weight", Cut(0.5, "layer"))
    assert half.after["nonzero"] * 2 == half.before["nonzero"]
    assert half.after["bytes"] == half.before["bytes"]


def test_everything_leaves_one_unit_a_row_and_the_sparsity_says_so():
    everything = outlook("channel", Cut(1.0))
    assert everything.kept.tolist() == [1, 1]
    assert np.isclose(everything.sparsity, 18 / 20)


def test_a_cut_that_was_set_aside_is_compared_in_points_and_shares():
    a, b = outlook("channel", Cut(0.25, "layer")), outlook("channel", Cut(0.5, "layer"))
    # A keeps 6 of 8 and 9 of 12 channels: 9 * (6 + 54) parameters; B keeps 4 and 6: 9 * (4 + 24), 53.3 % less.
    assert _sparsity_beside(b, "channels", a, "channels") == "A 25.0 %, B 25.0 points more"
    assert _beside(b, a, "parameters", str) == "A 540, B 53.3 % less"
    assert _beside(a, b, "parameters", str) == "A 252, B 114.3 % more"
    assert _beside(a, a, "parameters", str) == "A 540, the same"
    assert _sparsity_beside(b, "channels", a, "weights") == "A 25.0 % of weights"
