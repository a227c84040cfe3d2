"""Preloaded into the nanny of each lane: ends it when its scheduler is gone.

A nanny starts its worker again and again, also when there is no scheduler left to work for: each time it would import
torch, wait in vain, and give up.
"""

import contextlib
import os
import threading
import time

import psutil

from prunekit.experiments.folder import home
from prunekit.experiments.processes import EngineFolder

LOOK_SECONDS = 5
PATIENCE = 3  # looks in vain


def dask_setup(nanny) -> None:
    """Called by Dask when the nanny starts."""
    folder = EngineFolder(home())
    threading.Thread(target=_watch, args=(folder, folder.scheduler_pid()), daemon=True).start()


def _watch(folder: EngineFolder, pid: int | None) -> None:
    missed = 0
    while missed < PATIENCE:
        time.sleep(LOOK_SECONDS)
        missed = 0 if pid and folder.scheduler_is_alive(pid) else missed + 1
    for child in psutil.Process().children():
        # A training lane is a child of the recorder that started it, and has a lifeline of its own.
        with contextlib.suppress(psutil.Error):
            child.kill()
    os._exit(0)
