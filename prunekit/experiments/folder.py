"""Where runs, answers and the engine's own files live."""

import os
import shutil
import tempfile
from pathlib import Path

from prunekit.core.disk import is_full, no_room, not_ours
from prunekit.core.language import _

LITTLE_BYTES = 2**20  # with less room than this, a disk that refuses is a full one

ROOT = Path(__file__).resolve().parents[2]


def python_path() -> str:
    """The PYTHONPATH with which another process finds this package, wherever it runs."""
    return os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))


def home() -> Path:
    """The folder of this installation's history: `PRUNEKIT_HOME`, else `.prunekit` beside `app.py`."""
    return Path(os.environ.get("PRUNEKIT_HOME") or ROOT / ".prunekit").resolve()


def free_bytes(folder: Path) -> int:
    """Free disk space where a folder is, or will be."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return shutil.disk_usage(there).free


def make_writable(folder: Path) -> None:
    """Makes a folder, and sure that files can be written into it. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass


def disk_full() -> str:
    """The sentence for a disk without room, where runs go on when there is some."""
    return no_room() + " " + _("Finished epochs are kept.")


def refusal(error: OSError, folder: Path) -> str:
    """The sentence for a disk that refuses to write: it is full, or the folder is not ours."""
    return disk_full() if is_full(error) else not_ours(folder, "PRUNEKIT_HOME")
