"""What the engine answers about models, asked without an engine."""

import numpy as np
import pytest

from prunekit.core.errors import CannotScore
from prunekit.experiments import answers


def test_a_criterion_that_a_model_has_no_answer_for_says_why():
    assert "batch norm" in answers.refusal("lenet-fashion", "bn_scale", {}, "channel")
    assert answers.refusal("resnet20-cifar10", "bn_scale", {}, "channel") == ""


def test_channels_are_tried_one_by_one_only_where_nobody_waits_long(monkeypatch):
    found = answers.exploration("mlp-digits", "measured_loss", {"examples": 16}, "channel", 0, 32)
    assert sum(row["units"] for row in found["rows"]) > 50
    monkeypatch.setattr(answers, "MEASURING_SECONDS", 0)
    with pytest.raises(CannotScore, match=r"each of \d+ channels takes about 1 minute .* give it to a run on Prune"):
        answers.exploration("mlp-digits", "measured_loss", {"examples": 17}, "channel", 0, 32)


def test_scores_below_zero_are_drawn_where_they_are():
    """However far the largest lies above the rest: a logarithm would put half of them into one bar."""
    found = answers._score_histogram(np.array([-3.0, -1.0, 0.001, 0.001, 0.001, 100.0], dtype=np.float32))
    assert (found["log"], found["low"], found["high"]) == (False, -3, 100)
    found = answers._score_histogram(np.array([0.0, 0.0, 0.001, 0.001, 0.001, 100.0], dtype=np.float32))
    assert found["log"]
