"""How previews ranked what fine-tuning brought."""

import dataclasses

import pytest

from prunekit.experiments.runs import Run
from prunekit.reports.predictions import FEWEST, in_words, rank_correlation
from tests.sample_runs import quick, recipe, run

RISING = [(0.1 * i, 0.5 + 0.05 * i) for i in range(1, FEWEST + 1)]


def runs(*pairs: tuple[float, float], **changes) -> list[Run]:
    """Finished ones, from the metric before fine-tuning and after it."""
    return [run(recipe(**changes), pruned=before, finetuned=after) for before, after in pairs]


def test_the_same_order_is_one_and_the_reverse_minus_one():
    assert rank_correlation(runs(*RISING), "lenet-fashion", False) == (pytest.approx(1.0), FEWEST)
    falling = [(before, 1 - after) for before, after in RISING]
    assert rank_correlation(runs(*falling), "lenet-fashion", False)[0] == pytest.approx(-1.0)


def test_ties_share_their_rank():
    pairs = [(0.1, 0.5), (0.1, 0.6), (0.2, 0.7), (0.3, 0.8), (0.4, 0.8)]
    # Ranks 1.5 1.5 3 4 5 against 1 2 3 4.5 4.5.
    assert rank_correlation(runs(*pairs), "lenet-fashion", False)[0] == pytest.approx(9 / 9.5)


def test_few_runs_or_runs_that_do_not_differ_say_nothing():
    assert rank_correlation(runs(*RISING[1:]), "lenet-fashion", False) is None
    assert rank_correlation(runs(*[(0.5, after) for _before, after in RISING]), "lenet-fashion", False) is None
    assert in_words(None) == ""


def test_other_models_other_data_and_runs_that_learnt_nothing_do_not_count():
    others = [
        *runs(*RISING, model="mlp-digits"),
        *runs(*RISING, training=quick(0)),
        *runs(*RISING, scorer="movement", knobs={}),
        *runs(*RISING, schedule="iterative", rounds=3),
        *[dataclasses.replace(one, result=one.result | {"data_full": True}) for one in runs(*RISING)],
        run(recipe(), state="running"),
    ]
    assert rank_correlation(others, "lenet-fashion", False) is None
    assert rank_correlation([*others, *runs(*RISING)], "lenet-fashion", False)[1] == FEWEST


def test_the_sentence_has_the_number_and_calls_it_no_forecast():
    said = in_words((-0.25, 12))
    assert "Over 12 runs" in said
    assert "−0.25" in said
    assert "no forecast" in said
