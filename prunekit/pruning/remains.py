"""What is left of a model while it is pruned round by round, told in the units of the untouched one."""

import dataclasses
from collections.abc import Mapping

import numpy as np
import torch

from prunekit.core.cut_table import CutTable
from prunekit.core.cuts import Cut, exact_count
from prunekit.core.recipe import Recipe
from prunekit.masks import Mask
from prunekit.scoring import Scores
from prunekit.selection import sorted_scores
from prunekit.structure import channel_costs, channel_groups, weight_costs, weight_names
from prunekit.surgery import masked_copy, remove_channels


class Weights:
    """Single weights become zeros; `mask` says which, and is what training holds them by."""

    def __init__(self, dense: torch.nn.Module, inputs: torch.Tensor, kept: Mapping[str, torch.Tensor] | None = None):
        self.dense, self.inputs = dense, inputs
        names = weight_names(dense)
        self.kept = Mask(kept or {n: torch.ones_like(dense.get_parameter(n), dtype=torch.bool) for n in names})
        self.model = masked_copy(dense, self.kept) if kept else dense

    @property
    def sparsity(self) -> float:
        return self.kept.sparsity

    @property
    def training_mask(self) -> Mapping[str, torch.Tensor]:
        return self.kept

    def ranked(self, scores: Scores) -> Scores:
        """Scores in which everything already pruned ranks lowest, so that it goes again before anything else."""
        lowest = torch.stack([s.min() for s in scores.values()]).min()
        below = torch.nextafter(lowest, torch.tensor(-torch.inf, dtype=lowest.dtype))
        entries = {name: torch.where(self.kept[name], s, below) for name, s in scores.items()}
        return Scores(entries, scores.granularity, scores.scorer, scores.kinds)

    def table(self, scores: Scores) -> CutTable:
        return CutTable.of(sorted_scores(scores), weight_costs(self.model, self.inputs), scores.kinds)

    def target(self, recipe: Recipe, share: float, table: CutTable) -> Cut:
        """The cut of this round: `share` of what the recipe asks for in the end."""
        overrides = {name: sparsity * share for name, sparsity in recipe.overrides.items()}
        cut = dataclasses.replace(recipe.cut(0.0), overrides=overrides)
        return table.solve(recipe.target, recipe.amount * share, cut)

    def cut(self, mask: Mask) -> tuple[str, ...]:
        """Prunes; returns the names of layers of which the floor kept a unit."""
        self.kept, rescued = mask.floored()
        self.model = masked_copy(self.model, self.kept)
        return rescued

    def macs(self, counted: int) -> int:
        """Zeros are computed like any number: what is left counts the weights that are not zero, as theory does."""
        kept = np.array([int(mask.sum()) for mask in self.kept.values()])
        return weight_costs(self.dense, self.inputs).totals(kept)["macs"]

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
        return scores

    def table(self, scores: Scores) -> CutTable:
        groups = tuple(group for group in channel_groups(self.model, self.inputs) if group.prunable)
        return CutTable.of(sorted_scores(scores), channel_costs(self.model, self.inputs, groups), scores.kinds)

    def target(self, recipe: Recipe, share: float, table: CutTable) -> Cut:
        """The cut of what is left that brings the whole to `share` of what the recipe asks for."""

        def remaining(fraction: float, names: list[str]) -> float:
            whole, left = sum(self.units[n] for n in names), sum(len(self.kept[n]) for n in names)
            return max(exact_count(fraction, whole) - (whole - left), 0) / left if left else 0.0

        overrides = {n: remaining(s * share, [n]) for n, s in recipe.overrides.items() if n in self.units}
        cut = dataclasses.replace(recipe.cut(0.0), overrides=overrides)
        if recipe.target == "sparsity":
            amount = remaining(recipe.amount * share, [n for n in self.units if cut.is_free(n)])
        else:
            quantity = table.costs.quantity(recipe.target)
            whole = self.whole.totals(np.array(list(self.units.values())))[quantity]
            amount = max(1 - (1 - recipe.amount * share) * whole / table.costs.totals(table.units)[quantity], 0.0)
        return table.solve(recipe.target, amount, cut)

    def cut(self, mask: Mask) -> tuple[str, ...]:
        """Removes; returns the names of groups of which the floor kept a unit."""
        mask, rescued = mask.floored()
        self.model = remove_channels(self.model, mask, self.inputs)
        self.kept = {name: indices[mask[name]] for name, indices in self.kept.items()}
        return rescued

    def macs(self, counted: int) -> int:
        """The smaller net really computes what is counted on it."""
        return counted

    def plain_kept(self) -> dict[str, list[int]]:
        return {name: indices.tolist() for name, indices in self.kept.items()}


REMAINS = {"weight": Weights, "channel": Channels}
