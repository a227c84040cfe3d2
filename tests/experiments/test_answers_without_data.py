"""Answers on networks that have no data set here: everything but what needs data, and then one sentence."""

import numpy as np
import psutil
import pytest

from prunekit.core.cuts import Cut
from prunekit.core.errors import CannotPrune, ComingLater, NeedsData, PrunekitError
from prunekit.experiments.answers import exploration, preview, subjects, summary

SMALL = "torchvision/squeezenet1_1"
UNTRACEABLE = "torchvision/shufflenet_v2_x0_5"


def test_the_structure_of_a_torchvision_network_is_told_like_any_other():
    told = summary(SMALL)
    assert told["parameters"] == 1_235_496
    assert told["untraced"] == ""
    assert sum(group["prunable"] for group in told["groups"]) == 25


@pytest.mark.parametrize("granularity", ["weight", "channel"])
def test_its_scores_can_be_cut_at_either_grain(granularity):
    found = exploration(SMALL, "magnitude", {"p": 1}, granularity, 0, 512)
    assert len(found["rows"]) == {"weight": 26, "channel": 25}[granularity]
    assert all(np.sum(drawn["counts"]) > 0 for drawn in found["scores"].values())


def test_criteria_that_look_at_data_and_the_preview_say_that_there_is_none():
    with pytest.raises(NeedsData, match="has no data set here"):
        exploration(SMALL, "taylor", {}, "channel", 0, 512)
    with pytest.raises(NeedsData, match="has no data set here"):
        preview(SMALL, "magnitude", {"p": 1}, "channel", 0, 512, Cut(0.3).to_plain())


def test_where_channels_cannot_be_traced_the_layers_are_told_all_the_same_and_why():
    told = summary(UNTRACEABLE)
    assert told["layers"]
    assert told["groups"] == []
    assert "cannot be traced" in told["untraced"]


def test_where_channels_cannot_be_traced_weights_can_be_cut_and_the_refusal_says_so():
    assert exploration(UNTRACEABLE, "magnitude", {"p": 1}, "weight", 0, 512)["rows"]
    with pytest.raises(CannotPrune, match="choose weights as granularity"):
        exploration(UNTRACEABLE, "magnitude", {"p": 1}, "channel", 0, 512)


def test_a_network_that_would_end_the_worker_is_refused_with_both_numbers(monkeypatch):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"total": 16e9})())
    with pytest.raises(PrunekitError, match=r"633 M parameters.*13\.4 GB.*6\.40 GB.*take a smaller one"):
        summary("torchvision/vit_h_14")


def test_published_weights_are_fetched_beside_the_answers(monkeypatch):
    def later(card):
        raise ComingLater(f"Fetching {card.checksum}.")

    monkeypatch.setattr(subjects, "fetched_or_later", later)
    with pytest.raises(ComingLater, match="resnet18-f37072fd"):
        summary("torchvision/resnet18/published")
