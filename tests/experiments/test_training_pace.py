"""The measured pace of training and the measured latency: numbers that make sense, and a model that stays as it was."""

import torch

from prunekit.core.cuts import Cut
from prunekit.data import load_dataset
from prunekit.experiments.answers import timing
from prunekit.experiments.answers.subjects import model_of
from prunekit.training import train


def test_the_pace_is_measured_on_a_copy_and_says_how_much_there_is_to_do(monkeypatch):
    monkeypatch.setattr(timing, "PACE_SECONDS", 0.05)
    before = {name: tensor.clone() for name, tensor in model_of("mlp-digits").state_dict().items()}
    pace = timing.training_pace("mlp-digits", 64, "float32", 0.5, 0)
    data = load_dataset("digits")
    assert [pace[part] for part in ("train", "validation", "test")] == [
        len(data.train), len(data.validation), len(data.test)
    ]  # fmt: skip
    assert pace["evaluate_per_second"] > 0
    assert pace["train_per_second"] > 0
    model = model_of("mlp-digits")
    assert all(torch.equal(model.state_dict()[name], tensor) for name, tensor in before.items())
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_the_pace_with_a_teacher_is_that_of_steps_that_ask_it(monkeypatch):
    monkeypatch.setattr(timing, "PACE_SECONDS", 0.05)
    asked = []
    monkeypatch.setattr(timing, "train", lambda *args, **more: asked.append((args[3], more)) or train(*args, **more))
    timing.training_pace("mlp-digits", 64, "float32", 0.5, 0)
    [(settings, more)] = asked
    assert settings.distillation == 0.5
    assert more["teacher"] is model_of("mlp-digits")


def test_a_batch_larger_than_the_data_is_measured_too(monkeypatch):
    monkeypatch.setattr(timing, "PACE_SECONDS", 0.05)
    assert timing.training_pace("mlp-digits", 60_000, "float32", 0.0, 0)["train_per_second"] > 0


def test_the_two_networks_of_a_rounded_cut_are_timed_side_by_side(monkeypatch):
    monkeypatch.setattr(timing, "LATENCY_SECONDS", 0.1)
    compared = []
    honest = timing.compare_latency
    monkeypatch.setattr(timing, "compare_latency", lambda *pair: compared.append(pair[:2]) or honest(*pair))
    question = ("magnitude", {}, "channel", 0, 0, Cut(0.3, "layer", round_to=8).to_plain())
    found = timing.bounds_latency("lenet-fashion", *question, 8, 0)
    assert found["before_ms"] > 0
    assert found["after_ms"] > 0
    [pair] = compared
    assert [[net.conv1.out_channels, net.conv2.out_channels] for net in pair] == [[11, 22], [8, 24]]


def test_the_latency_of_a_network_without_data_is_measured_on_the_cores_that_are_idle():
    found = timing.measured_latency("torchvision/squeezenet1_1", 1, 0)
    assert 0 < found["low_ms"] <= found["median_ms"] <= found["high_ms"]
    assert (found["threads"], found["runs"] >= 7) == (1, True)
