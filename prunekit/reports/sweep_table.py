"""What came of a sweep: for each criterion, granularity and amount the mean over its seeds, and their spread."""

import csv
import dataclasses
import io
import statistics
from dataclasses import dataclass

import pandas as pd

from prunekit.experiments.runs import Run
from prunekit.reports.identity import identity_of
from prunekit.reports.recipes import criterion
from prunekit.reports.tables import run_table


@dataclass(frozen=True)
class Line:
    """One criterion at one granularity and amount. Means over `seeds` finished runs; fractions are in [0, 1].

    *_spread: the standard deviation over the seeds (n - 1), None for a single one. `validation_pruned` is before any
    fine-tuning; *_gone are the shares that were taken away, of parameters that are not zero and of MACs.
    standing: "best", "within noise" or "behind" among lines that differ in the criterion only (see `noise.py`), or "".
    """

    scorer: str
    criterion: str
    granularity: str
    target: str
    amount: float
    seeds: int
    metric: str
    validation_baseline: float
    validation_pruned: float
    validation_pruned_spread: float | None
    validation: float
    validation_spread: float | None
    test: float
    test_spread: float | None
    parameters_gone: float
    macs_gone: float
    speedup: float | None
    standing: str


def sweep_lines(runs: list[Run]) -> list[Line]:
    """A line for each recipe of which at least one seed is finished, by granularity, amount and then as they came."""
    finished = [run for run in runs if run.state == "finished" and run.result]
    standings = run_table(finished)["standing"]
    groups: dict[str, list[Run]] = {}
    for run in finished:
        groups.setdefault(identity_of(run).recipe_key, []).append(run)
    lines = (_line(group, _standing(standings[[run.id for run in group]])) for group in groups.values())
    return sorted(lines, key=lambda line: (line.granularity, line.amount))


def _standing(told: pd.Series) -> str:
    """That of a recipe, from those of its runs: of a seed that ran twice, only the newest has one."""
    known = told.dropna()
    return known.iloc[0] if len(known) else ""


def _line(runs: list[Run], standing: str) -> Line:
    recipe, results = runs[0].recipe, [run.result for run in runs]
    speedups = [result["speedup"] for result in results if result.get("speedup")]

    def mean(name: str) -> float:
        return statistics.mean(result[name] for result in results)

    def spread(name: str) -> float | None:
        return statistics.stdev(result[name] for result in results) if len(results) > 1 else None

    return Line(
        scorer=recipe["scorer"],
        criterion=criterion(recipe["scorer"], recipe["knobs"]),
        granularity=recipe["granularity"],
        target=recipe["target"],
        amount=recipe["amount"],
        seeds=len(runs),
        metric=results[0]["metric"],
        validation_baseline=mean("validation_baseline"),
        validation_pruned=mean("validation_pruned"),
        validation_pruned_spread=spread("validation_pruned"),
        validation=mean("validation_finetuned"),
        validation_spread=spread("validation_finetuned"),
        test=mean("test_finetuned"),
        test_spread=spread("test_finetuned"),
        parameters_gone=statistics.mean(1 - r["nonzero_after"] / r["nonzero_before"] for r in results),
        macs_gone=statistics.mean(1 - r["macs_after"] / r["macs_before"] for r in results),
        speedup=statistics.mean(speedups) if speedups else None,
        standing=standing,
    )


def sweep_csv(lines: list[Line]) -> str:
    """The lines as comma-separated values, nothing rounded; what is not known is empty."""
    text = io.StringIO()
    names = [field.name for field in dataclasses.fields(Line)]
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: "" if v is None else v for k, v in dataclasses.asdict(line).items()} for line in lines)
    return text.getvalue()
