"""Recipes in words: one sentence that says what a run will do, whatever the recipe."""

import itertools

import pytest

from prunekit.reports.recipes import criterion, hover, what_it_does
from tests.sample_runs import quick, recipe


def test_one_cut_and_fine_tuning():
    asked = recipe(target="parameters", amount=0.5)
    assert what_it_does(asked) == (
        "Ranks all channels of the net together by Magnitude and removes the lowest until 50 % of the parameters are "
        "gone, in one cut, then fine-tunes for 3 epochs."
    )


def test_weights_are_set_to_zero_and_not_removed():
    assert "sets to zero the lowest" in what_it_does(recipe(granularity="weight"))


def test_of_n_of_m_the_nearest_share_is_told():
    sentence = what_it_does(recipe(granularity="weight", scope="n:4", amount=0.3))
    assert sentence.startswith("Ranks each 4 neighbouring weights by Magnitude and sets to zero the lowest 1 of them,")
    aimed = what_it_does(recipe(granularity="weight", scope="n:8", target="parameters", amount=0.3))
    assert "until 30 % of the parameters are gone" in aimed


def test_a_criterion_that_looks_at_training_has_some_of_it_first():
    once = recipe(scorer="movement", knobs={})
    assert what_it_does(once).endswith("in one cut with training before and after it, 3 epochs in all.")
    rounds = what_it_does(recipe(scorer="movement", knobs={}, schedule="iterative", rounds=2))
    assert rounds.endswith("in 2 rounds of training, scoring and cutting, and training at the end: 3 epochs in all.")


def test_without_epochs_it_says_so():
    assert what_it_does(recipe(training=quick(0))).endswith("in one cut, without fine-tuning.")


def test_own_cuts_and_locks_are_counted():
    sentence = what_it_does(recipe(overrides={"conv2": 0.7}, locked=("conv1", "fc1")))
    assert "(1 layer has a cut of its own, 2 layers stay whole)" in sentence


@pytest.mark.parametrize("scope", ["global", "layer"])
@pytest.mark.parametrize("target", ["sparsity", "parameters", "macs"])
def test_every_recipe_is_one_whole_sentence_without_gaps(scope, target):
    for grain, schedule, epochs in itertools.product(("weight", "channel"), ("one-shot", "iterative"), (0, 1, 3)):
        asked = recipe(scope=scope, target=target, granularity=grain, schedule=schedule, training=quick(epochs))
        sentence = what_it_does(asked)
        assert sentence.endswith(".")
        assert not {"{", "}", "  "} & set(sentence)


def test_an_amount_is_said_as_it_was_asked_for():
    assert "37.3 % channels" in " ".join(hover(recipe(amount=0.373)))


def test_a_criterion_of_another_version_is_called_by_its_name():
    assert criterion("forgotten") == "forgotten"
