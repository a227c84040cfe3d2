"""What the engine answers about models, asked without an engine."""

import numpy as np
import pytest

from prunekit.core.cards import model_card
from prunekit.core.cuts import Cut
from prunekit.core.errors import CannotScore
from prunekit.data import calibration_set, load_dataset
from prunekit.experiments import answers
from prunekit.experiments.answers import subjects
from prunekit.experiments.answers.exploring import _score_histogram
from prunekit.models import load_model
from prunekit.scoring import score
from prunekit.selection import prune_lowest


def test_a_criterion_that_a_model_has_no_answer_for_says_why():
    assert "batch norm" in answers.refusal("lenet-fashion", "bn_scale", {}, "channel")
    assert answers.refusal("resnet20-cifar10", "bn_scale", {}, "channel") == ""


def test_channels_are_tried_one_by_one_only_where_nobody_waits_long(monkeypatch):
    found = answers.exploration("mlp-digits", "measured_loss", {"examples": 16}, "channel", 0, 32)
    assert sum(row["units"] for row in found["rows"]) > 50
    monkeypatch.setattr(subjects, "MEASURING_SECONDS", 0)
    with pytest.raises(
        CannotScore, match=r"each of \d+ channels takes about 1 minute here.*A run on Prune has the time\."
    ):
        answers.exploration("mlp-digits", "measured_loss", {"examples": 17}, "channel", 0, 32)


def test_how_few_examples_would_do_is_told(monkeypatch):
    monkeypatch.setattr(subjects, "time", Clock(0.5))
    # One pass over 32 examples takes half a second, one for each of 160 channels 80.
    monkeypatch.setattr(subjects, "MEASURING_SECONDS", 50)
    with pytest.raises(CannotScore, match=r"160 channels takes about 1 minute here.*; here take at most 20 examples\."):
        answers.exploration("mlp-digits", "measured_loss", {"examples": 32}, "channel", 0, 32)


class Clock:
    """Each look is so many seconds after the one before."""

    def __init__(self, step: float):
        self.step, self.now = step, 0.0

    def perf_counter(self) -> float:
        self.now += self.step
        return self.now


def test_scores_below_zero_are_drawn_where_they_are():
    """However far the largest lies above the rest: a logarithm would put half of them into one bar."""
    found = _score_histogram(np.array([-3.0, -1.0, 0.001, 0.001, 0.001, 100.0], dtype=np.float32))
    assert (found["log"], found["low"], found["high"]) == (False, -3, 100)
    found = _score_histogram(np.array([0.0, 0.0, 0.001, 0.001, 0.001, 100.0], dtype=np.float32))
    assert found["log"]


def test_two_cuts_of_the_same_units_agree_where_their_masks_do():
    a, b = ["magnitude", {"p": 1}, "channel", 0, 64], ["taylor", {}, "channel", 0, 64]
    rows = answers.agreement("mlp-digits", a, Cut(0.5).to_plain(), b, Cut(0.25).to_plain())
    masks = []
    data = load_dataset(model_card("mlp-digits").data)
    for (scorer, knobs, *_rest), amount in ((a, 0.5), (b, 0.25)):
        examples = calibration_set(data, 64, 0)
        scores = score(load_model("mlp-digits"), scorer, granularity="channel", calibration=examples, **knobs)
        masks.append(prune_lowest(scores, amount))
    for row in rows:
        one, other = (mask[row["name"]] for mask in masks)
        assert row["layer"] == row["name"]
        assert (row["both"], row["neither"]) == (int((one & other).sum()), int((~one & ~other).sum()))
        assert row["only_a"] + row["both"] == int(one.sum())
        assert row["only_b"] + row["both"] == int(other.sum())
    assert all(-1 < row["rank_correlation"] < 1 for row in rows)
    same = answers.agreement("mlp-digits", a, Cut(0.5).to_plain(), a, Cut(0.5).to_plain())
    assert all(row["only_a"] == row["only_b"] == 0 and row["rank_correlation"] > 0.999 for row in same)
