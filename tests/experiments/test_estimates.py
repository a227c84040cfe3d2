"""How long runs will take: from runs like them, from a measured step, and what is left of a sweep."""

import dataclasses

import pytest

from prunekit.core.recipe import Recipe, Training
from prunekit.experiments.estimates import AROUND_SECONDS, UNKNOWN, estimate, seconds_left
from tests.sample_runs import START, run

PACE = {"train": 1000, "validation": 100, "test": 200, "train_per_second": 100.0, "evaluate_per_second": 500.0}


def recipe(epochs: int = 3, **changes) -> Recipe:
    return Recipe("mlp-digits", scorer="magnitude", training=Training(epochs=epochs), **changes)


def took(seconds: float, asked: Recipe, full: bool = False):
    """A finished run."""
    one = run(asked)
    return dataclasses.replace(one, result=one.result | {"wall_seconds": seconds, "data_full": full})


def test_three_runs_like_one_that_took_ten_seconds_take_thirty():
    asked = [recipe(seed=seed) for seed in (1, 2, 3)]
    found = estimate(asked, [took(10, recipe())], full=False)
    assert (found.seconds, found.source) == (30, "from 1 earlier run")


def test_twice_the_epochs_with_what_is_around_them():
    # Three epochs and what is around them took 8 s: 2 s each; seven and what is around them take 16 s.
    assert estimate([recipe(7)], [took(8, recipe(3))], full=False).seconds == 16


def test_runs_with_as_many_epochs_of_the_same_granularity_count_before_others():
    runs = [
        took(10, recipe(3)),
        took(20, recipe(3, seed=1)),
        took(90, recipe(3, granularity="weight")),
        took(7, recipe(5)),
    ]
    assert estimate([recipe(3, seed=2)], runs, full=False).seconds == 15


@pytest.mark.parametrize(
    "other",
    [
        took(10, Recipe("lenet-fashion", scorer="magnitude")),
        took(10, recipe(), full=True),
        took(10, Recipe("mlp-digits", training=Training(batch_size=32))),
        took(10, Recipe("mlp-digits", scorer="magnitude", training=Training(distillation=0.5))),
        run(recipe(), state="failed"),
    ],
    ids=["another model", "the full data", "another batch size", "a teacher", "not finished"],
)
def test_runs_of_another_kind_tell_nothing(other):
    assert estimate([recipe()], [other], full=False) == UNKNOWN


def test_without_any_run_a_measured_step_tells():
    # 3 epochs of 1000 at 100 a second; (1 cut + 3 epochs + 2 looks at the end) x 100 + 200 images at 500 a second.
    found = estimate([recipe(3)], [], full=False, pace=PACE)
    assert found.seconds == pytest.approx(AROUND_SECONDS + 30 + 800 / 500)
    assert found.source == "from a measured step"


def test_a_criterion_that_tries_each_channel_is_timed_by_its_own_kind_alone():
    slow = recipe().with_(scorer="measured_loss")
    assert estimate([slow], [took(10, recipe())], PACE, full=False) == UNKNOWN
    assert estimate([recipe()], [took(500, slow)], full=False) == UNKNOWN
    assert estimate([slow.with_(seed=1)], [took(10, recipe()), took(500, slow)], full=False).seconds == 500
    fewer = slow.with_(knobs={"examples": 16})
    assert estimate([fewer], [took(500, slow)], PACE, full=False) == UNKNOWN


def test_nothing_to_run_takes_no_time():
    assert estimate([], [], full=False).seconds == 0


def test_what_is_left_of_a_sweep_comes_from_its_own_finished_runs():
    waiting = [run(recipe(seed=seed), state="queued") for seed in (5, 6)]
    running = run(recipe(seed=4), state="running")
    runs = [took(10, recipe(seed=1)), took(14, recipe(seed=2)), running, *waiting]
    assert seconds_left(runs, now=START + 5) == (12 - 5) + 2 * 12
    assert seconds_left(runs, now=START + 500) == 2 * 12
    assert seconds_left(runs, now=START - 3600) == 3 * 12  # a clock that was put back


def test_what_is_left_is_unknown_before_the_first_run_is_finished_unless_it_was_estimated():
    runs = [run(recipe(seed=seed), state="queued") for seed in (5, 6)]
    assert seconds_left(runs, now=START) is None
    assert seconds_left(runs, now=START, before=4.0) == 8
    assert seconds_left([took(10, recipe())], now=START) == 0
