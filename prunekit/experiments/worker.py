"""What runs in a torch worker: one run of a recipe, and its timing. Everything it finds goes to the recorder."""

import contextlib
import logging
import os
import sys
import threading
import time
import uuid
from pathlib import Path

import psutil

from prunekit.core.disk import is_full
from prunekit.experiments.folder import disk_full
from prunekit.experiments.runs import CHECKPOINT

LOG = logging.getLogger(__name__)

REPORT_SECONDS = 1.0  # pages look about as often, and a long run should not fill the store

_flags: set[str] = set()


def dask_setup(worker) -> None:
    """Called by Dask when the worker starts: imports torch before the first question comes."""
    _give_way(int(os.environ.get("PRUNEKIT_NICE", "0")))
    import torch

    import prunekit.experiments.answers  # noqa: F401
    from prunekit.training.allocation import keep_freed_memory

    keep_freed_memory()
    torch.set_num_threads(1)


def settle_threads() -> None:
    """One thread of torch for this answer: several are given at once. What trains or measures asks for more.

    Each time, because a thread that meets torch for the first time takes the number that another has set just then.
    """
    if torch := sys.modules.get("torch"):  # not in the recorder
        torch.set_num_threads(1)


def _give_way(nice: int) -> None:
    """Puts this worker behind the processes that answer people."""
    if os.name == "nt":
        psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS if nice else psutil.NORMAL_PRIORITY_CLASS)
        return
    psutil.Process().nice(nice)
    # Linux shares the processors out among sessions before it looks at niceness, and each lane is a session.
    with contextlib.suppress(OSError):  # another system, or a kernel without autogroups
        Path("/proc/self/autogroup").write_text(str(nice))


def raise_flag(run_id: str) -> None:
    """Asks a run of this process to stop; called beside the running task, not after it."""
    _flags.add(run_id)


class Reporter:
    """Carries a run's events to the recorder, a few times a second and in order."""

    def __init__(self, run_id: str, attempt: int):
        self.run_id, self.attempt = run_id, attempt
        self._number = 0
        self._events: list[dict] = []
        self._lasting: list[dict] = []
        self._files: dict = {}
        self._sent = 0.0
        self._lock = threading.Lock()

    def __call__(self, event: dict) -> None:
        with self._lock:
            if event["kind"] == "progress" and time.monotonic() - self._sent < REPORT_SECONDS:
                return
            self._events.append(event | {"number": self._number, "time": time.time()})
            if event["kind"] != "progress":
                self._lasting.append(self._events[-1])
            self._number += 1
        self.flush()

    def keep(self, files: dict) -> None:
        """Files that go with the next event: that of the epoch they were made after."""
        with self._lock:
            self._files = files

    def repeat(self) -> None:
        """Tells everything but the progress once more: what a recorder had heard and not written when it died."""
        tell("record", self.run_id, self.attempt, self._lasting)

    def flush(self) -> None:
        with self._lock:
            events, self._events = self._events, []
            files, self._files = self._files, {}
            self._sent = time.monotonic()
        if files:
            tell("keep", self.run_id, self.attempt, files, events)
        elif events:
            tell("record", self.run_id, self.attempt, events)


def tell(function: str, *args, wait: bool = False):
    """Hands work to the recorder; without `wait` it is sure to be done, even if this worker dies next.

    What is told first is done first, by whatever process it is told: of tasks with one priority Dask takes the last.
    """
    from distributed import fire_and_forget, get_client

    from prunekit.core import errors
    from prunekit.core.packing import unpack
    from prunekit.experiments.naming import call

    key = f"tell-{function}-{args[0]}-{uuid.uuid4().hex}"
    name = f"prunekit.experiments.recorder:{function}"
    options = {"resources": {"recorder": 1}, "priority": 100 - 1e-6 * time.monotonic(), "pure": False}
    future = get_client().submit(call, name, args, key=key, **options)
    if not wait:
        fire_and_forget(future)
        return None
    answer = unpack(future.result())
    if "error" in answer:
        raise getattr(errors, answer["error"])(answer["sentence"])
    return answer["value"]


def run_recipe(run_id: str, attempt: int) -> None:
    """One attempt at a run, from its checkpoint if it has one. The task of the training lane."""
    from prunekit.core.errors import PrunekitError, Stopped
    from prunekit.core.recipe import Recipe
    from prunekit.pruning.checkpoints import Checkpoint
    from prunekit.pruning.loop import execute
    from prunekit.training.threads import idle_threads

    _flags.discard(run_id)
    begun = tell("begin", run_id, attempt, uuid.uuid4().hex, idle_threads(), wait=True)
    if not begun["go"]:
        return
    report = Reporter(run_id, attempt)
    result, error = None, None
    try:
        packed, recipe = begun["checkpoint"], Recipe.from_plain(begun["recipe"])
        # Somebody may have fetched the full data since: a run stays with what it was asked for on.
        part = recipe.part_of(begun["fingerprint"])
        if part is None:
            raise PrunekitError(_changed())
        outcome = execute(
            recipe,
            report=report,
            should_stop=lambda: run_id in _flags,
            checkpoint=Checkpoint.from_bytes(packed.tobytes()) if packed is not None else None,
            keep=lambda checkpoint: report.keep({CHECKPOINT: _array(checkpoint.to_bytes())}),
            threads=min(begun["threads"], psutil.cpu_count() or 1),
            precision=begun["precision"],
            timed=False,
            part=part,
        )
        tell("keep", run_id, attempt, {name: _array(content) for name, content in outcome.files().items()}, wait=True)
        state, result = "finished", outcome.result
    except Stopped:
        state = "stopped"
    except PrunekitError as problem:
        state, error = "failed", str(problem)
    except Exception as problem:
        LOG.exception("run %s failed", run_id)
        state, error = "failed", _unforeseen(problem)
    report.flush()
    report.repeat()
    # Waited for: a task that is gone from the scheduler while its run is not over means that it was cut off.
    tell("finish", run_id, attempt, state, result, error, wait=True)


def _changed() -> str:
    from prunekit.core.language import _

    return _(
        "The model or prunekit itself is another one since this run was queued; start its recipe again as a new run."
    )


def _unforeseen(problem: Exception) -> str:
    from prunekit.core.language import _

    if isinstance(problem, OSError) and is_full(problem):
        return disk_full()
    sentence = _("Something unforeseen went wrong ({kind}); the engine's log says more.")
    return sentence.format(kind=type(problem).__name__)


def time_run(run_id: str) -> None:
    """Measures a finished run's model against the dense one, when nothing trains any more."""
    from prunekit.pruning.timing import time_files

    files = tell("model_files", run_id, wait=True)
    result = time_files({name: content.tobytes() for name, content in files.items()})
    tell("timed", run_id, result)


def _array(content: bytes):
    import numpy as np

    return np.frombuffer(content, dtype=np.uint8)
