"""Profile: the counts are right, and it survives the way through JSON."""

import json

import torch
from safetensors.torch import save_file
from torch import nn

from prunekit.measurement import Profile, profile


def net() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))


def test_what_can_be_counted_is_counted_exactly(tmp_path):
    model = net()
    with torch.no_grad():
        model[0].weight[0] = 0
    counted = profile(model, torch.zeros(7, 4), latency=False)
    save_file(model.state_dict(), tmp_path / "weights.safetensors")
    assert (counted.parameters, counted.nonzero, counted.macs) == (23, 19, 18)
    assert counted.bytes == (tmp_path / "weights.safetensors").stat().st_size
    # 23 parameters; of one example the input, the first layer's output and the ReLU's.
    assert counted.peak_memory_bytes == (23 + 4 + 3 + 3) * 4
    assert counted.latency is None


def test_latency_is_there_for_each_batch_size_with_where_it_was_measured():
    measured = profile(net(), torch.zeros(1, 4), batch_sizes=(1, 3))
    assert set(measured.latency) == {1, 3}
    assert all(0 < t.low_ms <= t.median_ms <= t.high_ms for t in measured.latency.values())
    assert measured.environment["torch"] == torch.__version__
    assert measured.environment["threads"] == torch.get_num_threads()
    assert measured.environment["cpu"]
    assert Profile.from_plain(json.loads(json.dumps(measured.to_plain()))) == measured


def test_a_profile_without_times_survives_json_too():
    counted = profile(net(), torch.zeros(1, 4), latency=False)
    assert Profile.from_plain(json.loads(json.dumps(counted.to_plain()))) == counted
