"""What the engine tells of the inside of a layer."""

import numpy as np
import pytest
import torch

from prunekit.core.cuts import GRANULARITIES, LANES
from prunekit.core.errors import UnknownName
from prunekit.experiments import answers
from prunekit.experiments.answers import layer
from prunekit.experiments.answers.subjects import model_of, preview_split, scores_of
from prunekit.selection import prune_lowest
from prunekit.surgery import masked_copy

QUESTION = ("lenet-fashion", "magnitude", {"p": 1}, "channel", 0, 0)


@pytest.mark.parametrize(
    ("granularity", "scope"),
    [(granularity, "layer") for granularity in GRANULARITIES] + [("weight", scope) for scope in LANES],
)
@pytest.mark.parametrize("amount", [0.0, 0.3, 0.75])
def test_the_units_below_a_rank_are_those_that_the_mask_prunes(granularity, scope, amount):
    model, scorer, knobs, _granularity, *rest = QUESTION
    scores = scores_of(model, scorer, knobs, granularity, *rest)
    row = "conv2" if granularity == "channel" else "conv2.weight"
    mask = prune_lowest({row: scores[row]}, amount, scope)[row]
    found = answers.inside(model, scorer, knobs, granularity, *rest, row, 0, scope)
    gone = int((~mask).sum())
    assert found["all"] == mask.numel()
    if granularity == "channel":
        kept = mask
    else:
        masked = masked_copy(model_of(model), {row: mask}).conv2.weight
        kept = masked.flatten(1)[:, :512] != 0
        assert found["shape"] == [32, 400]
    assert ((found["ranks"] >= gone) == kept.numpy()).all()


def test_filters_and_maps_are_those_of_the_layer():
    found, model = answers.inside(*QUESTION, "conv2", 3), model_of("lenet-fashion")
    assert np.allclose(found["filters"], model.conv2.weight.detach().mean(1).numpy(), atol=1e-6)
    [(inputs, targets)] = preview_split("lenet-fashion").take([3]).batches(1)
    seen = []
    hook = model.conv2.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    with torch.inference_mode():
        answer = int(model(inputs).argmax())
    hook.remove()
    assert np.allclose(found["maps"], seen[0][0].numpy(), atol=1e-5)
    assert (found["target"], found["answer"]) == (int(targets[0]), answer)
    assert found["input"].shape == (28, 28)
    assert 0 <= found["input"].min() < found["input"].max() <= 1


def test_filters_of_three_inputs_keep_them():
    found = answers.inside("resnet20-cifar10", "magnitude", {"p": 1}, "channel", 0, 0, "conv1", 0)
    weight = model_of("resnet20-cifar10").conv1.weight.detach()
    assert np.allclose(found["filters"], weight.movedim(1, -1).numpy())
    assert found["input"].shape == (32, 32, 3)


def test_neurons_are_no_images():
    found = answers.inside(*QUESTION, "fc1", 0)
    assert found["filters"] is found["maps"] is None
    assert len(found["ranks"]) == 128


def test_of_too_many_units_evenly_spaced_ones_are_shown(monkeypatch):
    monkeypatch.setattr(layer, "MOST_UNITS", 5)
    found = answers.inside(*QUESTION, "conv2", 0)
    assert sorted(found["ranks"]) == [0, 8, 16, 23, 31]
    assert found["all"] == 32
    assert len(found["filters"]) == len(found["maps"]) == 5


def test_the_model_is_left_without_hooks_and_a_wrong_row_is_named():
    answers.inside(*QUESTION, "conv1", 0)
    assert not any(m._forward_hooks for m in model_of("lenet-fashion").modules())
    with pytest.raises(UnknownName, match="conv7"):
        answers.inside(*QUESTION, "conv7", 0)
