"""Downloads of full data sets: a process of their own each, and how far it is in a small file for all to read.

The process outlives the page and the server that asked for it; whoever has the same home folder sees the same state.
"""

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from filelock import FileLock

from prunekit.core.data_folder import data_folder
from prunekit.core.disk import write_whole
from prunekit.core.errors import StoreUnavailable
from prunekit.core.language import _
from prunekit.experiments.folder import ROOT, home, python_path, refusal

STARTING, DOWNLOADING, UNPACKING = "starting", "downloading", "unpacking"
DONE, FAILED, STOPPED = "done", "failed", "stopped"
ACTIVE = (STARTING, DOWNLOADING, UNPACKING)
STOP_SECONDS = 5


@dataclass(frozen=True)
class Download:
    """How far the download of a data set is.

    bytes, total: fetched so far and in all; sentence: why it failed; pid, born: the process and when it began (see
    `_born`), because process numbers are used again; when: the last news, in seconds since 1970.
    """

    name: str
    state: str
    bytes: int = 0
    total: int = 0
    sentence: str = ""
    pid: int = 0
    born: float = 0.0
    when: float = 0.0

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE


def start_download(name: str) -> None:
    """Starts the process that fetches a full set, unless one is at it already. Raises StoreUnavailable."""
    with _writable():
        _folder().mkdir(parents=True, exist_ok=True)
        with _lock():
            known = look_at_download(name)
            if known is not None and known.is_active:
                return
            process = _spawn(name)
            _write(Download(name, STARTING, pid=process.pid, born=_born(process.pid), when=time.time()))


def look_at_download(name: str) -> Download | None:
    """How far the latest download of a set is, None if there was none; a process that died is noticed."""
    try:
        known = Download(**json.loads(_file(name).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    if known.is_active and not _is_alive(known):
        sentence = _("The download ended before it was done; start it again.")
        return dataclasses.replace(known, state=FAILED, sentence=sentence)
    return known


def stop_download(name: str) -> None:
    """Ends the process that fetches a set, if there is one, and leaves it time to clear away what is half done.

    Raises StoreUnavailable.
    """
    known = look_at_download(name)
    if known is None or not known.is_active:
        return
    # Not under the lock: the process may be waiting for it to tell how far it is.
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(known.pid)
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except psutil.TimeoutExpired:
            process.kill()
    with _writable(), _lock():
        now = look_at_download(name)
        if now is not None and now.pid == known.pid and now.state != DONE:  # nobody has started it again meanwhile
            _write(dataclasses.replace(now, state=STOPPED, sentence="", when=time.time()))


def tell_download(name: str, state: str, done: int = 0, total: int = 0, sentence: str = "") -> None:
    """Called by the process that downloads. A folder that cannot be written to does not stop it.

    What another process that is at the same set has told stays: a second one only fails, because of the first.
    """
    pid = os.getpid()
    with contextlib.suppress(OSError):
        _folder().mkdir(parents=True, exist_ok=True)
        with _lock():
            known = look_at_download(name)
            if known is not None and known.is_active and known.pid != pid:
                # On Windows the `python` of a virtual environment is a process that starts the real one.
                if known.pid != os.getppid():
                    return
                pid = known.pid
            _write(Download(name, state, done, total, sentence, pid, _born(pid), time.time()))


def _spawn(name: str) -> subprocess.Popen:
    environment = os.environ | {
        "PYTHONPATH": python_path(),
        # Absolute, because the process is in another folder than the server may be.
        "PRUNEKIT_HOME": str(home()),
        "PRUNEKIT_DATA": str(data_folder().absolute()),
    }
    with open(_folder() / f"{name}.log", "wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "prunekit", "data", "--download", name, "--json"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=ROOT,
            env=environment,
            start_new_session=True,
        )


def _is_alive(known: Download) -> bool:
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(known.pid)
        # A child that nobody has waited for is still listed, but does nothing any more.
        return abs(_born(known.pid) - known.born) < 2 and process.status() != psutil.STATUS_ZOMBIE
    return False


def _born(pid: int) -> float:
    """When a process began, in seconds since the boot or, but on Linux, since 1970; 0 for one that is gone."""
    with contextlib.suppress(psutil.Error):
        # On Linux psutil reckons from the boot, whose time of day is another one when the clock is put.
        return psutil.Process(pid).create_time() - (psutil.boot_time() if psutil.LINUX else 0.0)
    return 0.0


def _folder() -> Path:
    return home() / "downloads"


def _file(name: str) -> Path:
    return _folder() / f"{name}.json"


def _lock() -> FileLock:
    return FileLock(_folder() / "lock", timeout=10)


def _write(download: Download) -> None:
    write_whole(_file(download.name), json.dumps(dataclasses.asdict(download)).encode())


@contextlib.contextmanager
def _writable():
    try:
        yield
    except OSError as error:  # also filelock's Timeout
        raise StoreUnavailable(refusal(error, home())) from error
