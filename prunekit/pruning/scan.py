"""Sensitivity: the metric with one row of scores cut, and everything else left alone."""

import functools
from collections.abc import Callable, Iterable, Sequence

import torch

from prunekit.core.errors import BadSetting, Stopped, UnknownName
from prunekit.core.language import _
from prunekit.core.sensitivity import SPARSITIES, Cell
from prunekit.core.tasks import Task
from prunekit.scoring import Scores
from prunekit.selection import prune_lowest
from prunekit.structure import channel_groups
from prunekit.structure.groups import Group
from prunekit.surgery import masked_copy
from prunekit.training import Evaluation
from prunekit.training.replay import Replay

BATCH = 256


class Scan:
    """Measures cell by cell, in whatever order; soonest in that of the layers. Not for two threads at a time, but for
    `evaluate`.

    baseline: the metric of the model as it is.
    """

    def __init__(
        self, model: torch.nn.Module, batches: Iterable, task: Task, groups: Callable[[], Sequence[Group]] | None = None
    ):
        """batches: of (inputs, targets) to judge the model on; they are held while the scan is.

        groups: gives the channel groups of the model, where somebody knows them.
        """
        self.model = model
        self._replay = Replay(model, list(batches), task)
        self.baseline = self._replay.evaluate(model)
        self._groups = functools.cache(groups or (lambda: channel_groups(model)))

    def evaluate(self, variant: torch.nn.Module) -> Evaluation:
        """The metric of the model after a cut of all of it, smaller ones too."""
        return self._replay.evaluate_whole(variant)

    def cell(self, scores: Scores, row: str, sparsity: float) -> Cell:
        """The metric with the lowest scores of one row cut to a sparsity, one unit staying at least.

        Raises UnknownName for a row that is not among the scores.
        """
        if row not in scores:
            raise UnknownName.of(_("row of scores"), row, scores)
        groups = self._groups() if scores.granularity == "channel" else None
        mask, _rescued = prune_lowest({row: scores[row]}, sparsity).floored()
        found = None
        if mask.kept < mask.total:
            found = self._replay.evaluate(masked_copy(self.model, mask, groups=groups))
        told = (found.value, found.low, found.high) if found else (None, None, None)
        before = self.baseline
        return Cell(row, sparsity, mask.total - mask.kept, mask.total, *told, before.n, before.value)


def sensitivity(
    model: torch.nn.Module,
    data,
    scores: Scores,
    sparsities: Sequence[float] = SPARSITIES,
    task: Task | None = None,
    report: Callable[[Cell], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> list[Cell]:
    """How much each row of scores can lose: a cell for each row and sparsity, in the order of the rows.

    data: a split (anything with `.batches(size)`) or an iterable of (inputs, targets) batches, best held-out ones;
    scores: of the model, as `prunekit.score` gives them; task: by default the one that the split names; report: is
    told each cell when it is measured. The model is left as it is. Li et al., 2017 (arXiv:1608.08710) look at layers
    so. Raises Stopped when `should_stop()` says so between two cells, BadSetting without examples or a task.
    """
    task = task or getattr(data, "task", None)
    if task is None:
        raise BadSetting(_("Say by which task to judge the model: task=prunekit.core.tasks.CLASSIFICATION, say."))
    scan = Scan(model, data.batches(BATCH) if hasattr(data, "batches") else data, task)
    cells = []
    for row in scores:
        for sparsity in sparsities:
            if should_stop is not None and should_stop():
                raise Stopped(_("Stopped while measuring what each layer can lose."))
            cells.append(scan.cell(scores, row, sparsity))
            if report is not None:
                report(cells[-1])
    return cells
