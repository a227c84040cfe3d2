"""First weights from a seed of one's own, whatever other threads draw meanwhile."""

import torch
from torch.utils._python_dispatch import TorchDispatchMode


class SeededDraws(TorchDispatchMode):
    """Inside `with SeededDraws(seed):` whatever this thread draws at random comes from that seed.

    Torch has one random state for all threads, and layers draw their first weights from it: seeding it would mix with
    the work of others. Here each random operation is handed a generator instead, and torch's state stays as it is.
    """

    def __init__(self, seed: int):
        super().__init__()
        self._generator = torch.Generator().manual_seed(seed)

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if torch.Tag.nondeterministic_seeded in function.tags and kwargs.get("generator") is None:
            kwargs["generator"] = self._generator
        return function(*args, **kwargs)
