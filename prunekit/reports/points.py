"""The points of a chart: one a recipe, with the mean and the spread over its seeds."""

import statistics
from dataclasses import dataclass

import pandas as pd

ABOUT = ("model_id", "model", "scorer", "criterion", "grain", "granularity", "target", "amount", "is_control")
ABOUT += ("recipe_key", "line_key", "setting_key", "subject_key", "setting", "validation_examples")


@dataclass(frozen=True)
class Point:
    """A recipe, apart from its seed, on one set of examples.

    runs: ids of its runs, one a seed; x: mean of what it costs, None without an axis; values: the metric of each seed;
    low, high: ends of the 95 % interval of the examples, as means over the seeds; about: what the recipe is (ABOUT).
    """

    runs: tuple[str, ...]
    x: float | None
    values: tuple[float, ...]
    low: float | None
    high: float | None
    about: dict

    @property
    def y(self) -> float:
        """The mean of the metric over the seeds."""
        return statistics.fmean(self.values)

    @property
    def spread(self) -> float | None:
        """The standard deviation over the seeds (n - 1); None for a single one."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None


def recipe_points(table: pd.DataFrame, split: str, along: str | None = None) -> list[Point]:
    """The points of a table (of `run_table`), in its order: `along` is the column of the cost.

    Runs without the metric or the cost are left out. A seed that ran twice counts once, by its newest run: it is the
    same experiment again.
    """
    wanted = table[f"{split}_finetuned"].notna()
    if along is not None:
        wanted &= table[along].notna()
    names = ["id", "seed", "created", *ABOUT]
    names += [f"{split}_{name}" for name in ("finetuned", "low", "high")] + ([along] if along else [])
    found: dict[str, dict[int, dict]] = {}
    for row in table.loc[wanted, list(dict.fromkeys(names))].to_dict("records"):
        seeds = found.setdefault(row["recipe_key"], {})
        known = seeds.get(row["seed"])
        if known is None or row["created"] > known["created"]:
            seeds[row["seed"]] = row
    return [_point(list(seeds.values()), split, along) for seeds in found.values()]


def _point(rows: list[dict], split: str, along: str | None) -> Point:
    return Point(
        runs=tuple(row["id"] for row in rows),
        x=statistics.fmean(float(row[along]) for row in rows) if along else None,
        values=tuple(float(row[f"{split}_finetuned"]) for row in rows),
        low=_mean([row[f"{split}_low"] for row in rows]),
        high=_mean([row[f"{split}_high"] for row in rows]),
        about={name: rows[0][name] for name in ABOUT},
    )


def _mean(values: list) -> float | None:
    return None if any(pd.isna(value) for value in values) else statistics.fmean(float(value) for value in values)
