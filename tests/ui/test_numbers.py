"""The line of numbers: what a cut leaves."""

import numpy as np

from prunekit.core.cut_table import CutTable
from prunekit.core.cuts import Cut
from prunekit.ui.panels.numbers import Outlook
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
