"""Why a pruned network is not faster: one reason for each case, and none where it is."""

from prunekit.measurement import why_not_faster

BEFORE = {"parameters": 1000, "nonzero": 1000, "macs": 8000}
HALF = {"parameters": 500, "nonzero": 500, "macs": 4000}
ZEROS = {"parameters": 1000, "nonzero": 100, "macs": 8000}


def test_zeros_stay_in_place():
    assert "Zeros stay in place" in why_not_faster(BEFORE, ZEROS, speedup=1.0, before_ms=20)


def test_a_tiny_network_is_mostly_overhead():
    sentence = why_not_faster(BEFORE, HALF, speedup=1.1, before_ms=0.2, channels={"conv1": 129})
    assert "only 0.20 ms" in sentence


def test_odd_channel_counts_are_named_the_largest_first():
    sentence = why_not_faster(BEFORE, HALF, speedup=1.1, before_ms=20, channels={"a": 16, "b": 9, "c": 129})
    assert "in c: 129" in sentence


def test_otherwise_the_rest_of_the_network_takes_the_time():
    assert "small part of the time" in why_not_faster(BEFORE, HALF, speedup=1.1, before_ms=20, channels={"a": 16})


def test_a_network_that_is_as_fast_as_promised_needs_no_reason():
    assert why_not_faster(BEFORE, HALF, speedup=1.9, before_ms=20) == ""


def test_a_network_that_was_promised_nothing_needs_no_reason():
    assert why_not_faster(BEFORE, BEFORE, speedup=0.5, before_ms=20) == ""
