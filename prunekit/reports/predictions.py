"""How well the metric before fine-tuning has told which runs end higher, for one model so far."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from prunekit.core.descriptions import is_trained_first
from prunekit.core.language import _
from prunekit.experiments.runs import Run

FEWEST = 5  # runs of which a rank correlation says anything at all


def rank_correlation(runs: Iterable[Run], model: str, data_full: bool) -> tuple[float, int] | None:
    """Spearman's rank correlation between the metric after the cut and after fine-tuning, and over how many runs.

    runs: the history, of which the finished ones of a model count, on the full data or on the shipped part of it. None
    where there are too few, or where one of the two does not vary. Only runs of one cut count, and none of criteria
    that look at training: elsewhere, the last cut comes after some of it.
    """
    pairs = [
        (run.result["validation_pruned"], run.result["validation_finetuned"])
        for run in runs
        if run.state == "finished"
        and run.result
        and run.recipe["model"] == model
        and run.recipe["training"]["epochs"]
        and run.recipe["schedule"] == "one-shot"
        and not is_trained_first(run.recipe["scorer"])
        and run.result.get("data_full", data_full) == data_full
    ]
    if len(pairs) < FEWEST:
        return None
    ranks = pd.DataFrame(pairs).rank().to_numpy()
    if (ranks.std(axis=0) == 0).any():
        return None
    return float(np.corrcoef(ranks.T)[0, 1]), len(pairs)


def in_words(found: tuple[float, int] | None) -> str:
    """The same as a sentence; "" where nothing is known."""
    if found is None:
        return ""
    rho, runs = found
    sentence = _(
        "Over {n} runs of this model so far, of all sparsities and criteria, the metric before fine-tuning ranked what "
        "came of it with {rho} (Spearman’s rank correlation: 1 is the same order, 0 none). It is no forecast."
    )
    return sentence.format(n=runs, rho=f"{rho:.2f}".replace("-", "−"))
