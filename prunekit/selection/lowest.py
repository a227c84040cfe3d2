"""Prune the lowest-scoring fraction, to the exact count."""

from collections.abc import Iterable, Mapping

import numpy as np
import torch

from prunekit.core.cuts import Cut, Row
from prunekit.core.errors import BadSetting
from prunekit.core.language import _
from prunekit.masks import Mask
from prunekit.selection.neighbours import as_ranked
from prunekit.selection.ranking import lowest
from prunekit.selection.rows import check_names, mask_of, rows_of


def prune_lowest(
    scores: Mapping[str, torch.Tensor],
    sparsity: float = 0.5,
    scope: str = "global",
    overrides: Mapping[str, float] | None = None,
    locked: Iterable[str] = (),
    round_to: int = 1,
    floor: int = 1,
    kinds: Mapping[str, str] | None = None,
) -> Mask:
    """The mask that prunes the given fraction of the units, those with the lowest scores.

    scores: any mapping of name -> tensor. sparsity, in [0, 1], counts the units of all rows that are neither
    overridden nor locked, and is met to the unit (`core.cuts.exact_count`), also when scores tie: ties go in the order
    of the entries, then of their units. scope: "global" ranks those rows together, "isomorphic" those of one of the
    `kinds` (see `prune_cut`), "layer" takes the same fraction of each, "erk" shares it out by the sides of the tensors
    (`core.cuts.erk_sparsities`), "n:4" and "n:8" take the same number of each 4 or 8 neighbours along the second side,
    the inputs of a weight tensor (of a transposed convolution its outputs): half of them is 2:4 or 4:8 sparsity (Mishra
    et al. 2021, arXiv:2104.08378). overrides: name -> a sparsity of its own; locked: names that stay whole; round_to,
    floor: of an entry that loses units, the nearest multiple of the one stays, and at least the other, whatever that
    makes of the sparsity (see `core.cuts.Cut`).

    Raises BadSetting for a fraction outside [0, 1], another scope or a score that is not a number, and UnknownName for
    an override or lock of a row that is not there.
    """
    return prune_cut(scores, Cut(sparsity, scope, dict(overrides or {}), frozenset(locked), round_to, floor), kinds)


def prune_cut(scores: Mapping[str, torch.Tensor], cut: Cut, kinds: Mapping[str, str] | None = None) -> Mask:
    """The mask of a whole `Cut`; its counts are those that `core.cut_table.CutTable.pruned` gives for the same cut.

    kinds: each entry's kind, for the scope "isomorphic"; those of `Scores`, unless others are given. Raises BadSetting
    where there are none. Where rounding or the floor asks for other counts than the ranking gives, a row loses its own
    lowest units.
    """
    rows = rows_of(scores)
    check_names([*cut.overrides, *sorted(cut.locked)], rows)
    names, flags, held = list(rows), {}, []
    kinds = getattr(scores, "kinds", None) if kinds is None else kinds
    if kinds is None and cut.scope == "isomorphic":
        raise BadSetting(_("The scope isomorphic ranks by kind; give the kind of each entry (`Scores` know it)."))
    shapes = {name: torch.as_tensor(scores[name]).shape for name in rows}
    ranked = {name: as_ranked(row, shapes[name], cut.scope) for name, row in rows.items()}
    facts = [Row.of(name, kinds and kinds[name], shape) for name, shape in shapes.items()]
    for row in facts:
        if not cut.is_free(row.name):
            flags |= lowest({row.name: ranked[row.name]}, cut.own_count(row))
    for pool, count in cut.pools(facts):
        flags |= lowest({names[i]: ranked[names[i]] for i in pool}, count)
    if cut.is_bounded:
        for name, row in ranked.items():
            asked = np.count_nonzero(flags[name])
            if (count := cut.bounded(asked, len(row))) != asked:
                flags |= lowest({name: row}, count)
                held += [name] if asked == len(row) else []
    return mask_of(scores, rows, flags, held)
