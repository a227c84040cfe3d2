"""Where runs, answers and the engine's own files live."""

import os
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def home() -> Path:
    """The folder of this installation's history: `PRUNEKIT_HOME`, else `.prunekit` beside `app.py`."""
    return Path(os.environ.get("PRUNEKIT_HOME") or ROOT / ".prunekit").resolve()


def free_bytes(folder: Path) -> int:
    """Free disk space where a folder is, or will be."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return shutil.disk_usage(there).free
