"""How many threads of torch to train with."""

import contextlib
import os
from collections.abc import Iterator

import psutil
import torch


def idle_threads() -> int:
    """The cores that nobody else is using just now, at least one.

    PRUNEKIT_THREADS is taken instead where it is set: equal threads, equal weights.
    """
    given = os.environ.get("PRUNEKIT_THREADS", "")
    if given.isdecimal() and int(given):
        return int(given)
    cores = psutil.cpu_count() or 1
    return max(1, round(cores * (1 - psutil.cpu_percent(interval=0.2) / 100)))


@contextlib.contextmanager
def torch_threads(count: int | None) -> Iterator[None]:
    """So many threads for what is inside; None leaves them as they are."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
