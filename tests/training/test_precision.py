"""The choice of precision: measured, honoured, and without a trace on the model."""

import copy

import pytest
import torch
from torch import nn

from prunekit.core.recipe import Training
from prunekit.core.tasks import CLASSIFICATION
from prunekit.training import precision as precisions
from prunekit.training.objective import Objective
from prunekit.training.precision import Precision, probe

IMAGES = torch.randn(4, 1, 6, 6), torch.tensor([0, 1, 0, 1])


def objective_in(precision: Precision) -> Objective:
    return Objective.of(CLASSIFICATION, Training(), precision)


def network():
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout(), nn.Flatten(), nn.Linear(32, 2))


def test_every_candidate_is_measured_and_a_measured_one_is_chosen():
    chosen = probe(network(), IMAGES, objective_in, seconds=0.05)
    assert list(chosen.milliseconds) == ["float32", "float32, channels last", "bfloat16, channels last"]
    assert all(ms > 0 for ms in chosen.milliseconds.values())
    assert chosen.label in chosen.milliseconds
    assert chosen.label in chosen.sentence


def test_what_is_measured_asks_the_teacher_too():
    asked = []
    teacher = network()
    teacher[0].register_forward_hook(lambda layer, inputs, outputs: asked.append(outputs.dtype))
    settings = Training(distillation=0.5)
    probe(network(), IMAGES, lambda candidate: Objective.of(CLASSIFICATION, settings, candidate, teacher), seconds=0)
    assert set(asked) == {torch.float32, torch.bfloat16}


def test_a_network_without_convolutions_is_not_tried_with_channels_last():
    chosen = probe(nn.Linear(3, 2), (torch.randn(4, 3), torch.tensor([0, 1, 0, 1])), objective_in, seconds=0.01)
    assert list(chosen.milliseconds) == ["float32", "bfloat16"]


def choose(monkeypatch, milliseconds):
    monkeypatch.setattr(precisions, "_milliseconds", lambda trial, batch, objective, p: milliseconds[p.label])
    return probe(network(), IMAGES, objective_in, seconds=0)


def test_the_fastest_is_chosen(monkeypatch):
    times = {"float32": 4.0, "float32, channels last": 2.0, "bfloat16, channels last": 1.0}
    chosen = choose(monkeypatch, times)
    assert (chosen.name, chosen.channels_last) == ("bfloat16", True)
    assert chosen.milliseconds == times


def test_plain_float32_stays_unless_another_is_clearly_faster(monkeypatch):
    times = {"float32": 4.0, "float32, channels last": 3.9, "bfloat16, channels last": 9.0}
    assert choose(monkeypatch, times).label == "float32"


def test_probing_leaves_the_model_and_the_random_state_as_they_were():
    model = network().train()
    before, random = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    probe(model, IMAGES, objective_in, seconds=0.01)
    assert all(torch.equal(t, before[n]) for n, t in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())
    assert model[0].weight.is_contiguous()
    assert torch.equal(torch.get_rng_state(), random)


@pytest.mark.parametrize("name", ["float32", "bfloat16"])
def test_the_forward_pass_runs_in_the_chosen_format(name):
    with Precision(name).autocast():
        assert str(nn.Linear(2, 2)(torch.ones(1, 2)).dtype) == f"torch.{name}"
