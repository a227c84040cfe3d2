"""Scores as flat rows of plain numbers, one for each entry, checked once."""

from collections.abc import Iterable, Mapping

import numpy as np
import torch

from prunekit.core.errors import BadSetting, UnknownName
from prunekit.core.language import _
from prunekit.masks import Mask

Rows = dict[str, np.ndarray]


def rows_of(scores: Mapping[str, torch.Tensor]) -> Rows:
    """Each entry's scores as a 1-D array in row-major order: float32, or float64 where the tensors hold more than that.

    Raises BadSetting when a score is not a number.
    """
    rows = {}
    for name, entry in scores.items():
        flat = torch.as_tensor(entry).detach().reshape(-1).cpu()
        # Half precision has no numpy type, and whole numbers beyond 2**24 do not fit into float32.
        small = flat.dtype in (torch.float16, torch.bfloat16, torch.bool, torch.float32)
        row = flat.to(torch.float32 if small else torch.float64).numpy()
        if len(row) and np.isnan(row.min()):  # min() hands NaN on, and needs no array of its own
            raise BadSetting(_("The scores of {name} hold a value that is not a number.").format(name=name))
        rows[name] = row
    return rows


def check_names(named: Iterable[str], rows: Rows) -> None:
    """Raises UnknownName for the first of `named` that has no scores: a misspelt lock would otherwise lock nothing."""
    for name in named:
        if name not in rows:
            raise UnknownName.of(_("row of scores"), name, rows)


def mask_of(
    scores: Mapping[str, torch.Tensor], rows: Rows, pruned: Mapping[str, np.ndarray], held: Iterable[str] = ()
) -> Mask:
    """The mask that prunes the flagged units (a flat bool array for each entry); entries without flags stay whole.

    held: see `Mask`.
    """
    entries = {}
    for name, entry in scores.items():
        like = torch.as_tensor(entry)
        keep = ~pruned[name] if name in pruned else np.ones(len(rows[name]), dtype=bool)
        entries[name] = torch.from_numpy(keep).reshape(like.shape).to(like.device)
    return Mask(entries, best={name: int(row.argmax()) for name, row in rows.items() if len(row)}, held=held)
