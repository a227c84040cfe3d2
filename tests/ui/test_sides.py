"""Two cuts side by side: what each keeps of every layer."""

import pandas

from prunekit.ui.panels.sides import sides_frame


def test_layers_are_aligned_by_name_and_compared_by_their_shares():
    frame = sides_frame((("conv1", 6, 8), ("conv2", 3, 12)), [("conv1", 36, 72), ("conv2", 432, 864)])
    assert frame["a_count"].tolist() == ["6 of 8", "3 of 12"]
    assert frame["b"].tolist() == [0.5, 0.5]
    assert frame["more"].tolist() == [-25.0, 25.0]


def test_a_layer_that_only_one_side_cuts_has_no_difference():
    frame = sides_frame((("conv1", 6, 8),), [("conv1", 6, 8), ("fc1", 5, 10)])
    assert frame["layer"].tolist() == ["conv1", "fc1"]
    assert frame["a_count"].tolist() == ["6 of 8", "–"]
    assert pandas.isna(frame["more"][1])
