"""How far a run is: the bar only grows, the time left follows the pace, curves survive a resumed run."""

import pytest

from prunekit.reports.progress import curves, duration, progress, thinned
from tests.sample_runs import START, events


def told(kind: str, attempt: int = 0, **body) -> dict:
    return {"kind": kind, "attempt": attempt, "time": START, **body}


def step(epoch: int, step: int, attempt: int = 0, loss: float = 1.0, sparsity: float = 0.5) -> dict:
    body = {"epoch": epoch, "epochs": 3, "step": step, "steps": 10, "loss": loss, "images_per_second": 160.0}
    return told("progress", attempt, sparsity=sparsity, **body)


def epoch(number: int, attempt: int = 0, validation: float = 0.9) -> dict:
    body = {"epoch": number, "epochs": 3, "loss": 0.5, "train": 0.8, "validation": validation, "seconds": 4.0}
    return told("epoch", attempt, sparsity=0.5, **body)


def test_a_run_that_has_told_nothing_stands_at_nothing():
    how_far = progress([], 64)
    assert (how_far.fraction, how_far.epoch, how_far.seconds_left) == (0.0, 0, None)


def test_in_the_middle_of_the_second_of_three_epochs():
    how_far = progress(events(epochs=3, done=1), 64, now=START)
    assert (how_far.epoch, how_far.epochs) == (2, 3)
    assert how_far.fraction == pytest.approx(0.05 + 0.9 * 0.5)
    assert how_far.seconds_left == pytest.approx(6.0)  # one and a half epochs of four seconds
    assert how_far.sentence() == "Fine-tuning · epoch 2 of 3 · about 6 s left"


def test_in_the_first_epoch_the_pace_of_the_steps_tells_the_time_left():
    # 10 steps of 64 images at 160 images a second are 4 s an epoch; 2.5 epochs are left.
    how_far = progress([told("begin", epochs=3, rounds=1), step(1, 5)], 64, now=START)
    assert how_far.seconds_left == pytest.approx(10.0)


def test_time_passes_while_nothing_is_told():
    begun = [told("begin", epochs=3, rounds=1), step(1, 5)]
    assert progress(begun, 64, now=START + 3).seconds_left == pytest.approx(7.0)
    assert progress(begun, 64, now=START + 60).seconds_left == 0.0


def test_the_bar_never_goes_back():
    all_events = [*events(epochs=3, done=2), told("phase", phase="measuring")]
    fractions = [progress(all_events[:n], 64, now=START).fraction for n in range(len(all_events) + 1)]
    assert fractions == sorted(fractions)
    assert fractions[-1] < 1


def test_a_run_without_epochs_goes_by_its_phases():
    phases = [told("begin", epochs=0, rounds=1)]
    fractions = []
    for name in ("baseline", "scoring", "cutting", "measuring"):
        phases.append(told("phase", phase=name))
        fractions.append(progress(phases, 64).fraction)
    assert fractions == sorted(set(fractions))
    assert progress(phases, 64).sentence() == "Measuring the result"


def test_the_curve_falls_at_the_cut_and_rises_after_it():
    cut = told("cut", round=0, sparsity=0.5, validation=0.6, epoch=0)
    drawn = curves([cut, step(1, 5), epoch(1, validation=0.9)])
    assert drawn.validation == [(0, 0.6), (1, 0.9)]
    assert drawn.sparsity == [(0, 0.0), (0, 0.5), (1, 0.5)]
    assert drawn.loss == [(0.5, 1.0)]
    assert drawn.epoch_loss == [(1, 0.5)]


def test_a_second_cut_is_a_step_up_in_sparsity():
    first = told("cut", round=0, sparsity=0.3, validation=0.8, epoch=0)
    second = told("cut", round=1, sparsity=0.6, validation=0.7, epoch=1)
    drawn = curves([first, epoch(1) | {"sparsity": 0.3}, second, step(2, 5, sparsity=0.6)])
    assert drawn.sparsity == [(0, 0.0), (0, 0.3), (1, 0.3), (1, 0.3), (1, 0.6), (1.5, 0.6)]
    assert drawn.validation == [(0, 0.8), (1, 0.9), (1, 0.7)]


def test_a_resumed_run_goes_on_from_its_checkpoint_and_not_from_where_it_was_cut_off():
    first = [step(1, 5, loss=0.9), epoch(1, validation=0.80), step(2, 5, loss=0.7), step(2, 9, loss=0.6)]
    second = [step(2, 5, attempt=1, loss=0.5), epoch(2, attempt=1, validation=0.85)]
    drawn = curves(first + second)
    assert drawn.loss == [(0.5, 0.9), (1.5, 0.5)]
    assert drawn.validation == [(1, 0.80), (2, 0.85)]


def test_long_curves_are_thinned_and_keep_their_ends():
    points = [(x, x) for x in range(1000)]
    kept = thinned(points, limit=100)
    assert len(kept) <= 101
    assert (kept[0], kept[-1]) == ((0, 0), (999, 999))
    assert thinned(points[:7], limit=100) == points[:7]


@pytest.mark.parametrize(("seconds", "words"), [(0.2, "1 s"), (59.4, "59 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")])
def test_durations_are_said_as_people_say_them(seconds, words):
    assert duration(seconds) == words
