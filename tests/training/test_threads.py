"""All idle cores are trained with, and nobody else's."""

import psutil
import pytest
import torch

from prunekit.training.threads import idle_threads, torch_threads


@pytest.mark.parametrize(("busy", "taken"), [(0, 8), (12, 7), (50, 4), (97, 1), (100, 1)])
def test_what_is_idle_is_taken_and_never_less_than_one(busy, taken, monkeypatch):
    monkeypatch.delenv("PRUNEKIT_THREADS", raising=False)
    monkeypatch.setattr(psutil, "cpu_count", lambda: 8)
    monkeypatch.setattr(psutil, "cpu_percent", lambda interval: busy)
    assert idle_threads() == taken


def test_whoever_says_how_many_gets_them(monkeypatch):
    monkeypatch.setenv("PRUNEKIT_THREADS", "3")
    assert idle_threads() == 3


def test_the_number_of_threads_is_put_back_whatever_happens():
    before, inside = torch.get_num_threads(), []

    def fail():
        with torch_threads(before + 1):
            inside.append(torch.get_num_threads())
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert (inside, torch.get_num_threads()) == ([before + 1], before)
    with torch_threads(None):
        assert torch.get_num_threads() == before
