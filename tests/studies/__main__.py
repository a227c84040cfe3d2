"""`make study NAME=...`: runs a study, going on where it was cut off, and saves its rows and points."""

# ruff: noqa: E402
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from prunekit.core.threads import share_cores

share_cores()

from filelock import FileLock, Timeout

from prunekit.core.data_folder import has_full_set
from prunekit.core.recipe import Recipe
from prunekit.data.folder import SHIPPED
from prunekit.experiments import histories
from prunekit.experiments.folder import home
from prunekit.experiments.ledger import Ledger
from prunekit.experiments.local import run_here
from prunekit.experiments.runs import Run
from prunekit.training.allocation import keep_freed_memory
from tests import results
from tests.studies import begun, criteria_small, lenet_half, vgg_60

STUDIES = {"lenet-half": lenet_half, "vgg-60": vgg_60, "criteria-small": criteria_small}
RESULTS = Path(__file__).with_name("results.json")


def main(names: list[str]) -> int:
    """Runs the named studies, or says which there are."""
    unknown = [name for name in names if name not in STUDIES]
    if not names or unknown:
        print("Name a study: make study NAME=" + "|".join(STUDIES))
        return 2
    keep_freed_memory()
    return max(run(name) for name in names)


def run(name: str) -> int:
    """Runs every recipe of a study that has not been run yet, then saves what they show."""
    study, folder = STUDIES[name], home() / "studies" / name
    # Where no full set lies.
    data = mock.patch.dict(os.environ, {"PRUNEKIT_DATA": str(SHIPPED)} if study.DATA == "shipped" else {})
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with data, FileLock(folder / "lock", timeout=0):
            return _run(name, study, Ledger(folder))
    except Timeout:
        print(f"Another process is running this study in {folder}; wait for it.")
        return 2


def _run(name: str, study, store: Ledger) -> int:
    if study.DATA == "full":
        for data in sorted({recipe.data for _label, recipe in study.recipes()}):
            if not has_full_set(data):
                print(f"{name} needs the full data set {data}: python -m prunekit data --download {data}")
                return 2
    if hasattr(study, "sweeps"):
        runs = [run_here(recipe, store, report=_narrate) for _label, recipe in _told(name, study)]
        publish(name, study.sweeps(), {run.fingerprint: run for run in runs})
    else:
        save(name, study, _points(name, study, store))
    return 0


def _told(name: str, study) -> Iterator[tuple[str, Recipe]]:
    """The labels and recipes of a study, each said before it begins."""
    recipes = study.recipes()
    for number, (label, recipe) in enumerate(recipes, 1):
        print(f"{name} {number}/{len(recipes)}: {label}: {recipe.title()} …", flush=True)
        yield label, recipe


def _points(name: str, study, store: Ledger) -> list[dict]:
    """What each run came to, and where it ran; what another machine has done is taken from there (see `begun.py`)."""
    known, points = begun.load(name), []
    for label, recipe in _told(name, study):
        mark = recipe.fingerprint
        if mark not in known:
            known[mark] = run_here(recipe, store, report=_narrate).result
            begun.keep(name, known)
        points.append({"label": label} | known[mark])
    return points


def publish(name: str, sweeps: list, runs: dict[str, Run]) -> None:
    """A study of sweeps becomes a history that comes with prunekit: the app shows it, and so do table and figure."""
    whole = [(sweep.to_plain(), sweep.title, [runs[r.fingerprint] for r in sweep.recipes()]) for sweep in sweeps]
    path = histories.FOLDER / f"{name}.json.gz"
    histories.write(path, name, whole, results.environment())
    print(f"written to {path}")


def save(name: str, study, points: list[dict]) -> None:
    """A study with a goal saves its rows, and the points they come from."""
    rows = study.rows(points)
    for row in rows:
        print(row)
    earlier = results.load(RESULTS).get("points", {})
    results.save(RESULTS, rows, points=earlier | {name: points})
    begun.clear(name)


def _narrate(event: dict) -> None:
    if event["kind"] == "epoch":
        print(f"  epoch {event['epoch']} of {event['epochs']}: validation {event['validation']:.4f}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
