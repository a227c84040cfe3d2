"""What is left of a model while it is pruned round by round, told in the units of the untouched one."""

import dataclasses
from collections.abc import Mapping

import numpy as np
import torch

from prunekit.core.cut_table import CutTable
from prunekit.core.cuts import ZEROED, Cut
from prunekit.core.errors import CannotPrune
from prunekit.core.recipe import Recipe
from prunekit.masks import Mask
from prunekit.scoring import Scores
from prunekit.selection import sorted_scores
from prunekit.structure import channel_costs, channel_groups, no_parts, weight_costs, weight_names, weight_parts
from prunekit.surgery import masked_copy, remove_channels


class Weights:
    """Weights, or kernels, rows and tiles of them, become zeros; `kept` says which of these units do not."""

    def __init__(
        self,
        granularity: str,
        dense: torch.nn.Module,
        inputs: torch.Tensor,
        kept: Mapping[str, torch.Tensor] | None = None,
    ):
        self.granularity, self.dense, self.inputs = granularity, dense, inputs
        self.parts = weight_parts(dense, granularity)
        if not self.parts and weight_names(dense):
            raise CannotPrune(no_parts(granularity))
        self.kept = Mask(kept or {name: torch.ones(p.shape, dtype=torch.bool) for name, p in self.parts.items()})
        self.model = masked_copy(dense, self.kept) if kept else dense

    @property
    def sparsity(self) -> float:
        return self.kept.sparsity

    @property
    def training_mask(self) -> Mapping[str, torch.Tensor]:
        """What training holds the zeros by: of the weights' own shapes."""
        return Mask({name: self.parts[name].spread(kept) for name, kept in self.kept.items()})

    def ranked(self, scores: Scores) -> Scores:
        """Scores in which everything already pruned ranks lowest, so that it goes again before anything else."""
        below = _just_below(scores)
        entries = {name: torch.where(self.kept[name], s, below) for name, s in scores.items()}
        return Scores(entries, scores.granularity, scores.scorer, scores.kinds)

    def table(self, scores: Scores) -> CutTable:
        costs = weight_costs(self.model, self.inputs, self.granularity)
        return CutTable.of(sorted_scores(scores), costs, scores.kinds, scores.shapes)

    def cut(self, mask: Mask) -> tuple[str, ...]:
        """Prunes; returns the names of layers of which the floor kept a unit."""
        self.kept, rescued = mask.floored()
        self.model = masked_copy(self.model, self.kept)
        return rescued

    def macs(self, counted: int) -> int:
        """Zeros are computed like any number: what is left counts the weights that are not zero, as theory does."""
        kept = np.array([int(mask.sum()) for mask in self.kept.values()])
        return weight_costs(self.dense, self.inputs, self.granularity).totals(kept)["macs"]

    def plain_kept(self) -> dict[str, list[int]] | None:
        return None  # zeros are in the weights themselves


class Channels:
    """Whole channels are removed, and training goes on with the smaller net. `kept` holds their original numbers."""

    def __init__(self, dense: torch.nn.Module, inputs: torch.Tensor, kept: Mapping[str, torch.Tensor] | None = None):
        self.dense, self.inputs = dense, inputs
        groups = tuple(group for group in channel_groups(dense, inputs) if group.prunable)
        self.units = {group.name: group.units for group in groups}
        self.whole = channel_costs(dense, inputs, groups)
        self.kept = {name: torch.arange(units) for name, units in self.units.items()}
        self.model = dense
        if kept:
            self.kept = {name: torch.as_tensor(indices) for name, indices in kept.items()}
            chosen = {n: torch.isin(torch.arange(self.units[n]), indices) for n, indices in self.kept.items()}
            self.model = remove_channels(dense, Mask(chosen), inputs)

    @property
    def sparsity(self) -> float:
        total = sum(self.units.values())
        return 1 - sum(len(indices) for indices in self.kept.values()) / total if total else 0.0

    @property
    def training_mask(self) -> None:
        return None

    def ranked(self, scores: Scores) -> Scores:
        """The scores of what is left, and of all that is gone one that is lower, so that it goes again first."""
        below = _just_below(scores).item()
        entries = {name: torch.full((units,), below) for name, units in self.units.items()}
        for name, entry in entries.items():
            entry[self.kept[name]] = scores[name].cpu()
        return Scores(entries, scores.granularity, scores.scorer, scores.kinds)

    def table(self, scores: Scores) -> CutTable:
        return CutTable.of(sorted_scores(scores), self.whole, scores.kinds, scores.shapes)

    def cut(self, mask: Mask) -> tuple[str, ...]:
        """Removes; returns the names of groups of which the floor or rounding kept a unit."""
        mask, rescued = mask.floored()
        stays = {name: mask[name][indices] for name, indices in self.kept.items()}
        self.model = remove_channels(self.model, Mask(stays), self.inputs)
        self.kept = {name: indices[stays[name]] for name, indices in self.kept.items()}
        return rescued

    def macs(self, counted: int) -> int:
        """The smaller net really computes what is counted on it."""
        return counted

    def plain_kept(self) -> dict[str, list[int]]:
        return {name: indices.tolist() for name, indices in self.kept.items()}


def target_of(recipe: Recipe, share: float, table: CutTable) -> Cut:
    """The cut of the untouched net in this round: `share` of what the recipe asks for in the end."""
    overrides = {name: sparsity * share for name, sparsity in recipe.overrides.items()}
    cut = dataclasses.replace(recipe.cut(0.0), overrides=overrides)
    return table.solve(recipe.target, recipe.amount * share, cut)


def _just_below(scores: Scores) -> torch.Tensor:
    lowest = torch.stack([entry.min() for entry in scores.values()]).min()
    return torch.nextafter(lowest, torch.tensor(-torch.inf, dtype=lowest.dtype))


def remains_of(granularity: str, dense: torch.nn.Module, inputs: torch.Tensor, kept=None) -> "Weights | Channels":
    """What is left of a model at a granularity: all of it, or what `kept` of an earlier one says."""
    return Weights(granularity, dense, inputs, kept) if granularity in ZEROED else Channels(dense, inputs, kept)
