"""Asking for scores wrongly is answered in one sentence; what comes back cannot be written to."""

import dataclasses
import json

import pytest
import torch
from torch import nn

from prunekit.core.descriptions import FILE, ScorerDescription, scorer_descriptions
from prunekit.core.errors import BadSetting, CannotScore, UnknownName
from prunekit.core.settings import settings_of
from prunekit.scoring import SCORERS, describe, score, scorer_of
from prunekit.scoring.weights import Magnitude


def test_an_unknown_scorer_is_answered_with_those_there_are(plain):
    with pytest.raises(UnknownName, match=r"no criterion called “magic”; choose one of: .*magnitude"):
        score(plain, "magic")


def test_a_bad_or_unknown_knob_is_refused(plain):
    with pytest.raises(BadSetting, match=r"Norm must be one of 1, 2, .*, not “7”"):
        score(plain, "magnitude", p=7)
    with pytest.raises(BadSetting, match=r"magnitude has no setting “q”; its settings are: .*\bp\b"):
        score(plain, "magnitude", q=1)


def test_a_scorer_object_is_as_good_as_its_name_but_brings_its_own_knobs(plain):
    by_name = score(plain, "magnitude", granularity="channel", p=2)
    by_object = score(plain, Magnitude(p=2), granularity="channel")
    assert all(torch.equal(by_name[name], by_object[name]) for name in by_name)
    with pytest.raises(BadSetting, match="its knobs already"):
        score(plain, Magnitude(), p=2)


@pytest.mark.parametrize("granularity", ["weight", "kernel"])
def test_a_granularity_without_an_answer_is_refused(plain, granularity):
    with pytest.raises(CannotScore, match=f"scores channel, not {granularity}"):
        score(plain, "bn_scale", granularity=granularity)


def test_a_calibration_set_without_targets_is_refused(plain):
    with pytest.raises(BadSetting, match=r"\(inputs, targets\) batches"):
        score(plain, "taylor", calibration=[torch.randn(4, 3, 8, 8)])


def test_a_calibration_set_of_another_shape_is_refused_in_one_sentence(plain):
    with pytest.raises(CannotScore, match="does not run on the calibration set: "):
        score(plain, "contribution", calibration=[(torch.randn(4, 1, 8, 8), torch.zeros(4))])


def test_targets_that_the_loss_cannot_take_are_refused_in_one_sentence(plain):
    with pytest.raises(CannotScore, match="loss of the task classification"):
        score(plain, "taylor", calibration=[(torch.randn(4, 3, 8, 8), torch.tensor([0, 1, 2, 9]))])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_scores_that_are_not_finite_name_their_layer_and_scorer(plain, value):
    plain.hidden.weight.data[2, 3] = value
    with pytest.raises(CannotScore, match=r"Magnitude gives hidden\.weight scores that are not finite"):
        score(plain, "magnitude")


def test_a_network_without_prunable_channels_says_why():
    with pytest.raises(CannotScore, match=r"no channels that can be pruned\. Its outputs are the network's answer"):
        score(nn.Linear(2, 2), "magnitude", granularity="channel")


def test_scores_are_read_only(plain):
    scores = score(plain, "magnitude")
    with pytest.raises(TypeError):
        scores["conv.weight"] = torch.zeros(1)
    assert "conv.weight: (4, 3, 3, 3)" in repr(scores)


def test_the_descriptions_are_those_of_the_scorers():
    fields = {f.name for f in dataclasses.fields(ScorerDescription)}
    for plain_words in describe():
        assert set(plain_words) == fields - {"own"}
        scorer = scorer_of(plain_words["name"])
        assert plain_words["knobs"] == json.loads(json.dumps(plain_words["knobs"]))
        for text in ("label", "formula", "help", "source"):
            assert getattr(scorer, text) == plain_words[text] != ""


def test_the_server_reads_the_same_descriptions_without_the_scorers():
    assert json.loads(FILE.read_text(encoding="utf-8")) == describe(), "run python -m prunekit.shipped"
    known = scorer_descriptions()
    assert list(known) == list(SCORERS)
    for name, description in known.items():
        assert list(description.knobs) == sorted(settings_of(SCORERS[name]), key=lambda s: s.later)
        assert description.needs == SCORERS[name].needs
