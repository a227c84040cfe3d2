"""What must be said beside a chart of runs: single runs, missing timings, and MACs that did not become time."""

import pandas as pd

from prunekit.core.language import _, ngettext
from prunekit.reports.tables import is_unsteady

FAR_BELOW = 0.7  # a measured speedup below this share of the theoretical one asks for a reason
WORTH_IT = 1.2  # theoretical speedups below this are too small to ask after
AT_MOST = 3


def remarks(table: pd.DataFrame, axis: str) -> list[str]:
    """Sentences about the runs of a table (of `run_table`) as they are drawn against one of `figures.AXES`."""
    unsteady = unsteady_remark(table) if axis == "latency" else ""
    said = (seeds_remark(table), *missing(table, axis), unsteady)
    return [remark for remark in said if remark] + slower_than_theory(table)


def missing(table: pd.DataFrame, axis: str) -> list[str]:
    """Why some runs, or all, have no point."""
    sentences = [on_their_way(table), without_result(table)]
    if axis == "latency":
        sentences += [pending_remark(table), untimed_studies(table)]
    return [sentence for sentence in sentences if sentence]


def seeds_remark(table: pd.DataFrame) -> str:
    """How many seeds are behind the points."""
    finished = table[table["validation_finetuned"].notna()]
    if finished.empty:
        return ""
    most = int(finished["seeds"].max())
    if most < 2:
        return _(
            "Every point is a single run (one seed) with the 95 % interval of its examples. Where bars overlap, the "
            "difference is within noise; run a recipe with more seeds to see its spread."
        )
    sentence = _(
        "Large points are means over up to {n} seeds with their standard deviation, small pale ones the single seeds; "
        "all others are single runs with the 95 % interval of their examples."
    )
    return sentence.format(n=most)


def on_their_way(table: pd.DataFrame) -> str:
    """How many runs have no point yet."""
    count = int(table["is_open"].sum())
    sentence = ngettext("{n} run is on its way and will appear here.", "{n} runs are on their way.", count)
    return sentence.format(n=count) if count else ""


def without_result(table: pd.DataFrame) -> str:
    """How many runs are over without a point; those that were cut off can go on."""
    count = int((~table["is_open"].astype(bool) & table["validation_finetuned"].isna()).sum())
    sentence = ngettext(
        "{n} run is over without a result: it failed, was stopped or was cut off.",
        "{n} runs are over without a result: they failed, were stopped or were cut off.",
        count,
    )
    return sentence.format(n=count) if count else ""


def pending_remark(table: pd.DataFrame) -> str:
    """Which finished runs have not been timed."""
    pending = table[_untimed(table, of_studies=False)]
    if pending.empty:
        return ""
    sentence = _("Latency pending for {titles}: it is measured when nothing trains any more.")
    return sentence.format(titles=_titles(pending))


def _titles(runs: pd.DataFrame) -> str:
    titles = ", ".join(f"“{title}”" for title in runs["title"][:AT_MOST])
    if len(runs) > AT_MOST:
        titles = _("{titles} and {n} more").format(titles=titles, n=len(runs) - AT_MOST)
    return titles


def untimed_studies(table: pd.DataFrame) -> str:
    """How many runs were not timed and never will be."""
    count = int(_untimed(table, of_studies=True).sum())
    sentence = ngettext(
        "{n} run of the studies that came with prunekit has no latency: it was made on another machine.",
        "{n} runs of the studies that came with prunekit have no latency: they were made on another machine.",
        count,
    )
    return sentence.format(n=count) if count else ""


def _untimed(table: pd.DataFrame, of_studies: bool) -> pd.Series:
    return table["validation_finetuned"].notna() & table["latency_ms_after"].isna() & table["is_study"].eq(of_studies)


def unsteady_remark(table: pd.DataFrame) -> str:
    """Which timings say little, since the machine had other work meanwhile."""
    timed = table[table["speedup_low"].notna() & table["speedup_high"].notna()]
    unsteady = timed[is_unsteady(timed["speedup_low"], timed["speedup_high"])]
    if unsteady.empty:
        return ""
    sentence = _("Timed while the machine was busy, so that the point says little: {titles}.")
    return sentence.format(titles=_titles(unsteady))


def slower_than_theory(table: pd.DataFrame) -> list[str]:
    """For the runs whose measured speedup is furthest below the theoretical one, that it is so, and why.

    One run speaks for all that are slow for the same reason, and for all seeds of its recipe.
    """
    timed = table[table["speedup"].notna() & (table["theoretical_speedup"] >= WORTH_IT) & ~table["is_control"]]
    share = (timed["speedup"] / timed["theoretical_speedup"]).sort_values()
    behind = timed.loc[share[share < FAR_BELOW].index].drop_duplicates("recipe_key")
    behind = behind[~behind["latency_reason"].duplicated() | behind["latency_reason"].isna()]
    sentence = _("“{title}”: {theory:.2f}× fewer MACs, {measured:.2f}× measured.")
    return [
        " ".join(
            part
            for part in (
                sentence.format(title=row["title"], theory=row["theoretical_speedup"], measured=row["speedup"]),
                row["latency_reason"],
            )
            if isinstance(part, str)
        )
        for _run, row in behind.head(AT_MOST).iterrows()
    ]
