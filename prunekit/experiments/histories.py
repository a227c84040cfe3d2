"""Finished studies that come with prunekit, so that everybody's first chart has something on it.

A history is a gzipped JSON file in `sample_models/histories`: {"name", "environment", "sweeps": [{"plan", "title",
"runs": [{"recipe", "fingerprint", "title", "created", "started", "ended", "result"}]}]}.
"""

import gzip
import json
import logging
import os
import zlib
from collections.abc import Iterable
from pathlib import Path

from prunekit.core.cards import SAMPLES
from prunekit.core.disk import write_whole
from prunekit.core.errors import CorruptFile
from prunekit.core.language import _
from prunekit.experiments.ledger import Ledger
from prunekit.experiments.runs import STUDY, Run

LOG = logging.getLogger(__name__)

FOLDER = SAMPLES / "histories"


def read(path: Path) -> dict:
    """A history. Raises CorruptFile."""
    try:
        return json.loads(gzip.decompress(path.read_bytes()))
    except (OSError, ValueError, EOFError, zlib.error) as error:
        raise CorruptFile(_("The history {path} cannot be read; restore the file.").format(path=path)) from error


def write(path: Path, name: str, sweeps: Iterable[tuple[dict, str, list[Run]]], environment: dict) -> None:
    """Writes finished sweeps, each (plan, title, runs), as a history; the same runs give the same bytes."""
    plain = {
        "name": name,
        "environment": environment,
        "sweeps": [
            {"plan": plan, "title": title, "runs": [_plain(run) for run in runs]} for plan, title, runs in sweeps
        ],
    }
    write_whole(path, gzip.compress(json.dumps(plain, separators=(",", ":")).encode(), 9, mtime=0))


def runs_of(sweep: dict) -> list[Run]:
    """The runs of a sweep of a history, as a store would hand them out."""
    fixed = {"role": STUDY, "state": "finished", "attempt": 0, "error": None}
    return [Run(id=f"{run['fingerprint']}-1", **fixed, **run) for run in sweep["runs"]]


def bring_in(store: Ledger, folder: Path = FOLDER) -> None:
    """Puts the histories of a folder into a store, each once; a damaged one is left out and told in the log.

    The environment variable PRUNEKIT_STUDIES=off leaves them all out, for a history of one's own runs only.
    """
    if os.environ.get("PRUNEKIT_STUDIES", "on") == "off":
        return
    for path in sorted(folder.glob("*.json.gz")):
        try:
            history = read(path)
            sweeps = [(sweep["plan"], sweep["title"], runs_of(sweep)) for sweep in history["sweeps"]]
            store.bring_in(history["name"], sweeps)
        except (CorruptFile, KeyError, TypeError):
            LOG.exception("%s is left out", path)


def _plain(run: Run) -> dict:
    result = {key: _short(value) for key, value in run.result.items() if key not in ("recipe", "environment")}
    kept = ("recipe", "fingerprint", "title", "created", "started", "ended")
    return {name: getattr(run, name) for name in kept} | {"result": result}


def _short(value):
    return round(value, 6) if isinstance(value, float) else value
