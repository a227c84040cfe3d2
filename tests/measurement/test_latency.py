"""Latency: the medians are computed right, and the two networks really take turns. No test waits for a time."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from prunekit.core.errors import Stopped
from prunekit.measurement import compare_latency, latency
from prunekit.measurement.latency import _summary, of_batch_size


class Clock:
    """Time that passes only when a network runs: each forward pass takes what the network says."""

    def __init__(self):
        self.now = 0.0
        self.order: list[str] = []
        self.batches: list[int] = []
        self.modes: list[tuple[bool, bool]] = []

    def __call__(self) -> float:
        return self.now

    def __deepcopy__(self, memo):
        return self  # the copy that is timed goes by the same clock


class Timed(nn.Module):
    def __init__(self, name: str, clock: Clock, seconds):
        super().__init__()
        self.name, self.clock = name, clock
        self.seconds = itertools.repeat(seconds) if isinstance(seconds, float) else seconds
        self.layer = nn.Linear(2, 2)

    def __deepcopy__(self, memo):
        return self

    def forward(self, x):
        self.clock.now += next(self.seconds)
        self.clock.order.append(self.name)
        self.clock.batches.append(len(x))
        self.clock.modes.append((self.training, torch.is_inference_mode_enabled()))
        return self.layer(x)


def test_two_networks_take_turns_and_each_goes_first_as_often():
    clock = Clock()
    pair = Timed("dense", clock, 0.01), Timed("pruned", clock, 0.005)
    measured = compare_latency(*pair, torch.zeros(1, 2), batch_sizes=(1,), seconds=0.145, clock=clock)
    warm, timed = clock.order[:8], clock.order[8:]
    assert warm == ["dense"] * 4 + ["pruned"] * 4
    assert timed[:8] == ["dense", "pruned", "pruned", "dense"] * 2
    assert timed.count("dense") == timed.count("pruned") == measured[1]["runs"] == 10


def test_the_figures_are_those_of_the_two_networks():
    clock = Clock()
    pair = Timed("dense", clock, 0.02), Timed("pruned", clock, 0.005)
    figures = compare_latency(*pair, torch.zeros(3, 2), batch_sizes=(1, 64), seconds=0.0, clock=clock)
    assert set(figures) == {1, 64}
    assert figures[64] == pytest.approx(
        {"before_ms": 20, "before_low_ms": 20, "before_high_ms": 20, "after_ms": 5, "after_low_ms": 5,
         "after_high_ms": 5, "speedup": 4, "speedup_low": 4, "speedup_high": 4, "runs": 7}
    )  # fmt: skip


def test_the_speedup_is_that_of_neighbouring_pairs():
    # The machine slows down to a tenth half-way; each pair still says 2.
    clock = Clock()
    slow = itertools.chain([1.0] * 9, itertools.repeat(10.0))
    fast = itertools.chain([0.5] * 9, itertools.repeat(5.0))
    pair = Timed("dense", clock, slow), Timed("pruned", clock, fast)
    figures = compare_latency(*pair, torch.zeros(1, 2), batch_sizes=(1,), seconds=0.0, clock=clock)[1]
    assert figures["speedup"] == figures["speedup_low"] == figures["speedup_high"] == pytest.approx(2)
    assert figures["runs"] == 7


def test_a_short_forward_pass_is_repeated_until_a_sample_is_two_milliseconds():
    clock = Clock()
    measured = latency(Timed("net", clock, 0.0003), torch.zeros(1, 2), seconds=0.0, clock=clock)
    assert len(clock.order) == 4 + 7 * 7  # warm-up and a look, then 7 samples of 7 passes
    assert measured.median_ms == pytest.approx(0.3)


def test_networks_run_in_eval_and_inference_mode_at_the_batch_size_asked_for():
    clock = Clock()
    model = Timed("net", clock, 0.01).train()
    latency(model, torch.zeros(3, 2), batch_size=5, seconds=0.0, clock=clock)
    assert set(clock.batches) == {5}
    assert set(clock.modes) == {(False, True)}


def test_median_and_quartiles_by_hand():
    summary = _summary(np.array([0.005, 0.001, 0.002, 0.004, 0.003]))
    assert (summary.median_ms, summary.low_ms, summary.high_ms, summary.runs) == pytest.approx((3, 2, 4, 5))


def test_a_batch_of_another_size_repeats_the_examples_given():
    inputs = torch.tensor([[1.0], [2.0], [3.0]])
    assert of_batch_size(inputs, 5).flatten().tolist() == [1, 2, 3, 1, 2]
    assert of_batch_size(inputs, 2).flatten().tolist() == [1, 2]


def test_all_inputs_of_a_network_grow_together():
    sized = of_batch_size({"image": torch.zeros(2, 3), "flag": True, "other": torch.zeros(2)}, 4)
    assert (sized["image"].shape, sized["flag"], sized["other"].shape) == ((4, 3), True, (4,))


def test_measuring_stops_when_asked():
    model = nn.Linear(2, 2)
    with pytest.raises(Stopped):
        compare_latency(model, model, torch.zeros(1, 2), should_stop=lambda: True)


def test_real_networks_are_measured_and_left_as_they_are():
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4)).train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    figures = compare_latency(model, model, torch.zeros(1, 1, 8, 8), batch_sizes=(1, 4), seconds=0.02)
    assert figures[1]["before_ms"] > 0
    assert figures[1]["speedup_low"] <= figures[1]["speedup"] <= figures[1]["speedup_high"]
    assert model.training
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
