"""Runs as a table: one row a run, one column a figure, each described once for screen, file and chart."""

import html
from dataclasses import dataclass

import pandas as pd

from prunekit.core.amounts import compact, metric_text, percent
from prunekit.core.cards import ModelCard, model_cards
from prunekit.core.cuts import GRANULARITIES
from prunekit.core.language import N_, _
from prunekit.core.recipe import Recipe
from prunekit.core.tasks import CLASSIFICATION, Task
from prunekit.experiments.runs import STUDY, Run
from prunekit.reports.identity import Identity, identity_of
from prunekit.reports.noise import comparisons
from prunekit.reports.points import recipe_points
from prunekit.reports.progress import duration
from prunekit.reports.recipes import criterion, hover

STATES = {
    "queued": N_("queued"),
    "running": N_("running"),
    "stopping": N_("stopping"),
    "finished": N_("finished"),
    "stopped": N_("stopped"),
    "failed": N_("failed"),
    "interrupted": N_("interrupted"),
}
ROLES = {"run": N_("run"), "control": N_("random control"), "sweep": N_("part of a sweep"), STUDY: N_("study")}


@dataclass(frozen=True)
class Column:
    """A column of the table. kind: text, fraction, metric, points, count, bytes, ms, times, seconds, whole or date.

    Values are as in a run's result: fractions in [0, 1], milliseconds, bytes, seconds; `label` names what is shown.
    """

    name: str
    label: str
    help: str
    kind: str


COLUMNS = (
    Column("title", N_("Run"), N_("The name of the run; rename it below."), "text"),
    Column("state", N_("State"), N_("Queued, running, or how it ended."), "text"),
    Column(
        "role",
        N_("Role"),
        N_("Somebody's own, the random control beside it, or part of a sweep or study."),
        "text",
    ),
    Column("model", N_("Model"), N_("The model that was pruned."), "text"),
    Column("criterion", N_("Criterion"), N_("How importance was scored."), "text"),
    Column("granularity", N_("Granularity"), N_("Channels are really removed; all else becomes zeros."), "text"),
    Column("sparsity_target", N_("Sparsity, target"), N_("Pruned over prunable units, as asked for."), "fraction"),
    Column("sparsity_actual", N_("Sparsity, actual"), N_("Pruned over prunable units, as counted."), "fraction"),
    Column("validation_baseline", N_("Baseline"), N_("Validation metric of the untouched model."), "metric"),
    Column("validation_pruned", N_("After the cut"), N_("Validation metric right after the last cut."), "metric"),
    Column("validation_finetuned", N_("Fine-tuned"), N_("Validation metric of the finished model."), "metric"),
    Column(
        "standing",
        N_("Against the best"),
        N_("Among recipes that differ in the criterion only, by validation: the best one, or how far from it."),
        "text",
    ),
    Column("test_finetuned", N_("Test"), N_("Test metric of the finished model: for the final report."), "metric"),
    Column(
        "generalisation_gap",
        N_("Train − validation"),
        N_("Metric on training examples minus metric on validation examples, after fine-tuning."),
        "points",
    ),
    Column("parameters_before", N_("Parameters before"), N_("Of the untouched model."), "count"),
    Column("parameters_after", N_("Parameters after"), N_("Stored numbers, zeros included."), "count"),
    Column("nonzero_after", N_("Non-zero"), N_("Parameters that are not zero."), "count"),
    Column("macs_after", N_("MACs"), N_("Multiply-adds for one input; for weights those that are not zero."), "count"),
    Column("theoretical_speedup", N_("Theoretical speedup"), N_("MACs before over MACs after."), "times"),
    Column("bytes_after", N_("Size"), N_("Of the saved file on disk."), "bytes"),
    Column("latency_ms_before", N_("Latency before (ms)"), N_("Median of the untouched model, measured."), "ms"),
    Column("latency_ms_after", N_("Latency after (ms)"), N_("Median of the pruned model, measured beside it."), "ms"),
    Column("speedup", N_("Speedup"), N_("Measured latency before over after."), "times"),
    Column("wall_seconds", N_("Wall time (s)"), N_("How long the run took."), "seconds"),
    Column("precision", N_("Precision"), N_("The number format and layout that it was trained in."), "text"),
    Column("seed", N_("Seed"), N_("Of the run."), "whole"),
    Column("seeds", N_("Seeds"), N_("Finished runs of this recipe with different seeds; 1 is a single run."), "whole"),
    Column("created", N_("Date"), N_("When the run was queued."), "date"),
)

# Wanted by the figures and by the file, not shown as columns.
FURTHER = (
    "id",
    "model_id",
    "scorer",
    "grain",
    "is_control",
    "is_open",
    "is_study",
    "target",
    "amount",
    "setting",
    "recipe_key",
    "line_key",
    "setting_key",
    "subject_key",
    "metric",
    "validation_examples",
    "validation_low",
    "validation_high",
    "test_baseline",
    "test_low",
    "test_high",
    "macs_before",
    "nonzero_before",
    "bytes_before",
    "speedup_low",
    "speedup_high",
    "latency_batch",
    "relative_time",
    "relative_time_low",
    "relative_time_high",
    "untouched_time",
    "latency_reason",
    "error",
    "command",
    "hover",
)
# The upper quartile of a measured speedup over the lower one; on a quiet machine it is 1.1 to 1.4.
UNSTEADY = 1.7
FOR_FIGURES = ("hover", "is_control", "is_open", "is_study", "setting")
FOR_FIGURES += ("recipe_key", "line_key", "setting_key", "subject_key")
NUMBERS = ("validation_low", "validation_high", "test_baseline", "test_low", "test_high", "macs_before")
NUMBERS += ("nonzero_before", "bytes_before", "speedup_low", "speedup_high", "untouched_time")
NUMBERS += ("relative_time", "relative_time_low", "relative_time_high")


def run_table(runs: list[Run], batch: int | None = None) -> pd.DataFrame:
    """One row a run in the order given, indexed by its id: COLUMNS, then FURTHER. What is not known yet is missing.

    batch: the batch size whose latency is told; by default the one of the run's headline.
    """
    cards = model_cards()  # once: they are files
    identities = [identity_of(run) for run in runs]
    seeds = _seeds(runs, identities)
    rows = [_row(run, batch, seeds, cards, identity) for run, identity in zip(runs, identities, strict=True)]
    names = [column.name for column in COLUMNS] + list(FURTHER)
    table = pd.DataFrame(rows, columns=names, index=pd.Index([run.id for run in runs], name="run"))
    for column in COLUMNS:
        if column.kind in ("count", "bytes", "whole"):
            table[column.name] = pd.to_numeric(table[column.name]).astype("Int64")
        elif column.kind not in ("text", "date"):
            table[column.name] = pd.to_numeric(table[column.name]).astype("Float64")
    table["validation_examples"] = pd.to_numeric(table["validation_examples"]).astype("Int64")
    for name in NUMBERS:
        table[name] = pd.to_numeric(table[name]).astype("Float64")
    table["standing"] = table["id"].map(_standings(table)).astype(object)
    return table


def csv(table: pd.DataFrame) -> str:
    """The table as comma-separated values: names and units as in a run's result, nothing rounded."""
    kept = [c.name for c in COLUMNS] + [name for name in FURTHER if name not in FOR_FIGURES]
    texts = table[kept].copy()
    for name in ("title", "error"):
        texts[name] = texts[name].map(_harmless, na_action="ignore")
    return texts.to_csv(index=False)


def is_unsteady(low, high):
    """Whether a measured speedup with these quartiles (numbers, or columns of them) says little."""
    return high > UNSTEADY * low


def task_of(model: str) -> Task:
    """The task of a model; of one that is no longer there, classification."""
    card = model_cards().get(model)
    return card.task if card else CLASSIFICATION


def _row(run: Run, batch: int | None, seeds: dict[str, int], cards: dict[str, ModelCard], identity: Identity) -> dict:
    result, recipe = run.result or {}, run.recipe
    task = cards[recipe["model"]].task if recipe["model"] in cards else CLASSIFICATION
    row = {name: result.get(name) for name in [c.name for c in COLUMNS] + list(FURTHER)}
    row |= {
        "id": run.id,
        "title": run.title,
        "state": _(STATES.get(run.state, run.state)),
        "role": _(ROLES.get(run.role, run.role)),
        "is_control": run.role == "control" or recipe["scorer"] == "random",
        "is_open": not run.is_over,
        "is_study": run.role == STUDY,
        "model_id": recipe["model"],
        "model": _(cards[recipe["model"]].title) if recipe["model"] in cards else recipe["model"],
        "scorer": recipe["scorer"],
        "criterion": criterion(recipe["scorer"], recipe["knobs"]),
        "grain": recipe["granularity"],
        "granularity": _(GRANULARITIES[recipe["granularity"]]),
        "sparsity_target": result.get("sparsity_target", recipe["amount"] if recipe["target"] == "sparsity" else None),
        "theoretical_speedup": _ratio(result.get("macs_before"), result.get("macs_after")),
        "wall_seconds": result.get("wall_seconds", _seconds(run)),
        "seed": recipe["seed"],
        "seeds": seeds.get(identity.recipe_key),
        "created": pd.Timestamp(run.created, unit="s", tz="UTC"),
        "target": recipe["target"],
        "amount": recipe["amount"],
        "setting": {name: value for name, value in recipe.items() if name not in ("seed", "scorer", "knobs")},
        "recipe_key": identity.recipe_key,
        "line_key": identity.line_key,
        "setting_key": identity.setting_key,
        "subject_key": identity.subject_key,
        "error": run.error,
        "command": identity.command,
    }
    row |= latency_of(result, batch)
    row["hover"] = _hover(run, row, identity.recipe, task)
    return row


def _seconds(run: Run) -> float | None:
    """From start to end by the clock on the wall, which may have been set back meanwhile."""
    return max(run.ended - run.started, 0.0) if run.ended and run.started else None


def _standings(table: pd.DataFrame) -> dict[str, str]:
    """How each run stands to the best of those that differ in the criterion only; others are not in it."""
    found = {}
    for compared in comparisons(recipe_points(table, "validation")):
        found |= {run: _("best") for point in compared.best for run in point.runs}
        found |= {run: _("within noise") for point in compared.near for run in point.runs}
        found |= {run: _("behind") for point in compared.behind for run in point.runs}
    return found


def latency_of(result: dict, batch: int | None = None) -> dict:
    """The measured latency of a result at one batch size: medians in milliseconds, speedup with its spread, reason.

    Values are None while the measurement is pending.
    """
    batch = batch or result.get("latency_batch") or 64
    figures = (result.get("latency") or {}).get(str(batch), {})
    headline = result if result.get("latency_batch") == batch else {}
    speedup = figures.get("speedup", headline.get("speedup"))
    low, high = figures.get("speedup_low"), figures.get("speedup_high")
    return {
        "latency_batch": batch,
        "relative_time": 1 / speedup if speedup else None,
        "relative_time_low": 1 / high if high else None,
        "relative_time_high": 1 / low if low else None,
        "untouched_time": 1.0 if speedup else None,
        "latency_ms_before": figures.get("before_ms", headline.get("latency_ms_before")),
        "latency_ms_after": figures.get("after_ms", headline.get("latency_ms_after")),
        "speedup": speedup,
        "speedup_low": low,
        "speedup_high": high,
        "latency_reason": figures.get("reason") or None,
    }


def batch_sizes(runs: list[Run]) -> list[int]:
    """The batch sizes at which any of the runs was timed."""
    return sorted({int(size) for run in runs for size in ((run.result or {}).get("latency") or {})})


def _seeds(runs: list[Run], identities: list[Identity]) -> dict[str, int]:
    """For each recipe without its seed, how many seeds of it are finished."""
    found: dict[str, set] = {}
    for run, identity in zip(runs, identities, strict=True):
        if run.state == "finished":
            found.setdefault(identity.recipe_key, set()).add(run.recipe["seed"])
    return {key: len(seeds) for key, seeds in found.items()}


def _hover(run: Run, row: dict, recipe: Recipe | None, task: Task) -> str:
    """What is told of a run when the pointer rests on its point, as the small HTML that plotly reads.

    The test result is not in it: nobody should come upon it while choosing.
    """
    lines = [f"<b>{html.escape(run.title)}</b>", *(html.escape(line) for line in (hover(recipe) if recipe else []))]
    if (value := row["validation_finetuned"]) is not None:
        text = _("{metric}, validation: {value}")
        text = text.format(metric=_(task.metric_label), value=metric_text(value, task.percent))
        if row["validation_low"] is not None:
            low, high = (metric_text(row[f"validation_{end}"], task.percent) for end in ("low", "high"))
            text += f" ({low} – {high})"
        lines.append(text)
    if row["sparsity_actual"] is not None:
        lines.append(_("sparsity {value}").format(value=percent(row["sparsity_actual"])))
    if row["nonzero_after"] is not None:
        text = _("{parameters} non-zero parameters, {macs} MACs")
        lines.append(text.format(parameters=compact(row["nonzero_after"]), macs=compact(row["macs_after"])))
    if row["speedup"] is not None:
        text = _("measured speedup {value:.2f}×").format(value=row["speedup"])
        if row["speedup_low"] is not None:
            text += f" ({row['speedup_low']:.2f} – {row['speedup_high']:.2f})"
        lines.append(text)
    if row["wall_seconds"]:
        lines.append(_("took {time}").format(time=duration(row["wall_seconds"])))
    return "<br>".join(lines)


def _ratio(before, after) -> float | None:
    return before / after if before and after else None


def _harmless(text: str) -> str:
    """Text that a spreadsheet will not take for a formula."""
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
