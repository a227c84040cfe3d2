"""Where a time was measured: without it, a time says nothing."""

import functools
import platform
from pathlib import Path

import torch


def environment() -> dict:
    """`torch`, `python`, `cpu`, `system` (names and versions) and `threads` (of PyTorch in this process)."""
    return {
        "torch": torch.__version__,
        "python": platform.python_version(),
        "cpu": _cpu_name(),
        "system": platform.system(),
        "threads": torch.get_num_threads(),
    }


@functools.cache
def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # not Linux
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()
