"""Batch norm measured anew: the statistics of the examples, and nothing else changed."""

import pytest
import torch
from torch import nn

from prunekit.training import recalibrated
from tests.toy_networks import chain


def net() -> nn.Module:
    """A batch norm behind an identity, then one behind it; dropout between, which must keep still."""
    model = nn.Sequential(nn.BatchNorm1d(2), nn.Dropout(0.9), nn.BatchNorm1d(2, affine=False), nn.Linear(2, 3))
    model[0].running_mean.fill_(7.0)
    return model.train()


def batches() -> list:
    random = torch.Generator().manual_seed(0)
    return [(torch.randn(50, 2, generator=random) * 3 + 5, torch.zeros(50)) for _ in range(4)]


def test_the_statistics_are_the_means_of_those_of_the_batches():
    data, twin = batches(), recalibrated(net(), batches())
    inputs = [x for x, _y in data]
    assert torch.allclose(twin[0].running_mean, torch.stack([x.mean(0) for x in inputs]).mean(0))
    assert torch.allclose(twin[0].running_var, torch.stack([x.var(0) for x in inputs]).mean(0))
    # What reaches the second one was normalised by the first, batch by batch; dropout would have left a tenth of it.
    assert torch.allclose(twin[2].running_mean, torch.zeros(2), atol=1e-6)
    assert torch.allclose(twin[2].running_var, torch.ones(2) * 50 / 49, atol=1e-3)


def test_the_copy_is_in_eval_mode_and_the_model_is_left_as_it_was():
    model = net()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    twin = recalibrated(model, batches())
    assert model.training
    assert not any(module.training for module in twin.modules())
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert twin[0].momentum == model[0].momentum == 0.1
    assert torch.equal(twin[3].weight, model[3].weight)
    assert not twin(batches()[0][0]).isnan().any()


def test_a_network_without_batch_norm_does_not_even_run():
    def never():
        raise AssertionError("asked for a batch")
        yield

    twin = recalibrated(chain(), never())
    assert twin(torch.ones(1, 2)).item() == 50


@pytest.mark.parametrize("norm", [nn.BatchNorm1d(2, track_running_stats=False), nn.InstanceNorm1d(2)])
def test_what_keeps_no_statistics_of_batches_is_left_alone(norm):
    assert recalibrated(nn.Sequential(norm), batches())[0].training is False
