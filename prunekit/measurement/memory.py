"""The most memory that one forward pass holds at once, by counting tensors as they come and go."""

import weakref

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from prunekit.structure.inputs import example_inputs_of, run
from prunekit.structure.tracing_copy import tracing_copy


def peak_memory_bytes(model: nn.Module, example_inputs=None) -> int:
    """Bytes of parameters and buffers, plus the largest sum of inputs and activations alive at one time.

    Counted operation by operation during one forward pass in eval mode without gradients, so it is the same on every
    run. Scratch space inside an operation, and what the memory allocator and PyTorch itself hold, are not in it.
    """
    inputs = example_inputs_of(model, example_inputs)
    twin = tracing_copy(model)
    live = _LiveTensors()
    for tensor in [*twin.parameters(), *twin.buffers(), *tree_leaves(inputs)]:
        live.note(tensor)
    with torch.inference_mode(False), torch.no_grad(), live:
        run(twin, inputs)
    return live.peak


class _LiveTensors(TorchDispatchMode):
    """Counts the bytes of every storage once, from when it is first seen until nothing refers to it."""

    def __init__(self):
        super().__init__()
        self.peak = 0
        self._bytes = 0
        self._seen: set[int] = set()

    def note(self, value) -> None:
        if not isinstance(value, torch.Tensor):
            return
        storage = value.untyped_storage()
        key = storage._cdata
        if key in self._seen:
            return
        size = storage.nbytes()
        self._seen.add(key)
        self._bytes += size
        self.peak = max(self.peak, self._bytes)
        weakref.finalize(storage, self._gone, key, size)

    def _gone(self, key: int, size: int) -> None:
        self._seen.discard(key)
        self._bytes -= size

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for value in tree_leaves(result):
            self.note(value)
        return result
