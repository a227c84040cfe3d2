"""What has been run of a study that is not finished yet, in a file to commit: another machine goes on from there."""

import json
from collections.abc import Mapping
from pathlib import Path

from prunekit.core.disk import write_whole

FOLDER = Path(__file__).with_name("begun")


def load(name: str) -> dict[str, dict]:
    """What the runs came to, by their fingerprints: with other settings, weights or data they have others."""
    path = _path(name)
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def keep(name: str, runs: Mapping[str, dict]) -> None:
    """Writes the runs so far."""
    write_whole(_path(name), (json.dumps(runs, indent=1, ensure_ascii=False) + "\n").encode())


def clear(name: str) -> None:
    """The study is finished: its results tell all from now on, and another machine runs it afresh."""
    _path(name).unlink(missing_ok=True)


def _path(name: str) -> Path:
    return FOLDER / f"{name}.json"
