"""Finished runs whose files have outlived their history: each saved model tells what run it is of."""

import contextlib
import json
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

from prunekit.core.errors import PrunekitError
from prunekit.core.recipe import Recipe
from prunekit.experiments.ledger import Ledger
from prunekit.experiments.runs import MODEL_FILES, PLAN, Run

LOG = logging.getLogger(__name__)

ASIDE = f".{PLAN}.deleted"


def bring_back(ledger: Ledger) -> None:
    """Puts every saved model that the ledger knows nothing of back into it, as the finished run that it came from.

    They come from a history that was damaged and moved away, or from a run that went on while that happened; the files
    of a run that somebody deleted are gone. What only the history knew is lost: names, sweeps, curves, and who asked
    for a run, which is now everybody's own. Timings are made again.
    """
    known = {run.id for run in ledger.runs()}
    for aside in (ledger.folder / "runs").glob(f"*/{ASIDE}"):  # a deletion that was cut off in the middle
        if aside.parent.name in known:
            with contextlib.suppress(OSError):
                aside.replace(aside.with_name(PLAN))
        else:
            shutil.rmtree(aside.parent, ignore_errors=True)
    plans = [path for path in (ledger.folder / "runs").glob(f"*/{PLAN}") if path.parent.name not in known]
    found = [run for run in map(_run, plans) if run is not None]
    if found:
        LOG.info("brought back from their files: %s", ", ".join(run.id for run in found))
        ledger.put_back(sorted(found, key=lambda run: run.created))


@contextlib.contextmanager
def forgotten(folders: list[Path]) -> Iterator[None]:
    """Around the deletion of runs: their files go with them, and are never brought back.

    When the history refuses, they are as they were.
    """
    for folder in folders:
        with contextlib.suppress(OSError):
            (folder / PLAN).replace(folder / ASIDE)
    try:
        yield
    except Exception:
        for folder in folders:
            with contextlib.suppress(OSError):
                (folder / ASIDE).replace(folder / PLAN)
        raise
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _run(plan: Path) -> Run | None:
    if not all((plan.parent / name).is_file() for name in MODEL_FILES):
        return None
    try:
        result = json.loads(plan.read_text(encoding="utf-8"))["provenance"]
        recipe, when = Recipe.from_plain(result["recipe"]), plan.stat().st_mtime
        return Run(
            id=plan.parent.name,
            fingerprint=str(result["fingerprint"]),
            title=recipe.title(),
            recipe=recipe.to_plain(),
            role="control" if recipe.scorer == "random" else "run",
            state="finished",
            created=when,
            started=None,
            ended=when,
            attempt=0,
            error=None,
            result=result,
        )
    except (OSError, ValueError, KeyError, TypeError, PrunekitError):
        LOG.warning("%s tells of no run", plan, exc_info=True)
        return None
