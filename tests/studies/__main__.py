"""`make study NAME=...`: runs a study, going on where it was cut off, and saves its rows and points."""

import sys
from pathlib import Path

from prunekit.experiments.folder import home
from prunekit.experiments.local import run_here
from prunekit.experiments.store import Store
from tests import results
from tests.studies import lenet_half

STUDIES = {"lenet-half": lenet_half}
RESULTS = Path(__file__).with_name("results.json")


def main(names: list[str]) -> int:
    """Runs the named studies, or says which there are."""
    unknown = [name for name in names if name not in STUDIES]
    if not names or unknown:
        print("Name a study: make study NAME=" + "|".join(STUDIES))
        return 2
    for name in names:
        run(name)
    return 0


def run(name: str) -> None:
    """Runs every recipe of a study that has not been run yet, then saves what they show."""
    study = STUDIES[name]
    store = Store(home() / "studies" / name, writable=True)
    points = []
    for label, recipe in study.recipes():
        print(f"{name}: {label}, seed {recipe.seed} …", flush=True)
        run = run_here(recipe, store, report=_narrate)
        points.append({"label": label, **_figures(run.result)})
    rows = study.rows(points)
    for row in rows:
        print(row)
    earlier = results.load(RESULTS).get("points", {})
    results.save(RESULTS, rows, points=earlier | {name: points})


def _figures(result: dict) -> dict:
    return {key: value for key, value in result.items() if key != "environment"}


def _narrate(event: dict) -> None:
    if event["kind"] == "epoch":
        print(f"  epoch {event['epoch']} of {event['epochs']}: validation {event['validation']:.4f}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
