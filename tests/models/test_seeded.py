"""Draws from a seed of one's own: the same whatever others do, and nothing is taken from them."""

import threading

import torch
from torch import nn

from prunekit.models.seeded import SeededDraws


def drawn() -> torch.Tensor:
    with SeededDraws(3):
        return nn.Linear(50, 40).weight.detach().clone()


def test_the_same_seed_draws_the_same_weights_and_leaves_torchs_state_alone():
    before = torch.get_rng_state()
    assert torch.equal(drawn(), drawn())
    assert torch.equal(torch.get_rng_state(), before)


def test_they_are_the_weights_that_torchs_own_seed_would_give():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        assert torch.equal(drawn(), nn.Linear(50, 40).weight)


def test_another_thread_that_draws_meanwhile_changes_nothing():
    alone, go_on = drawn(), threading.Event()

    def disturb():
        while not go_on.is_set():
            torch.rand(10)

    other = threading.Thread(target=disturb)
    other.start()
    try:
        assert all(torch.equal(drawn(), alone) for _ in range(20))
    finally:
        go_on.set()
        other.join()


def test_outside_of_it_everything_is_drawn_as_before():
    drawn()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        one = torch.rand(5)
        torch.manual_seed(3)
        assert torch.equal(torch.rand(5), one)
