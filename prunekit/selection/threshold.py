"""Prune everything that scores below a threshold."""

from collections.abc import Iterable, Mapping

import numpy as np
import torch

from prunekit.core.errors import BadSetting
from prunekit.core.language import _
from prunekit.masks import Mask
from prunekit.selection.rows import check_names, mask_of, rows_of


def prune_below(
    scores: Mapping[str, torch.Tensor], threshold: float | Mapping[str, float], locked: Iterable[str] = ()
) -> Mask:
    """The mask that prunes each unit whose score is less than the threshold; a score equal to it stays.

    threshold: in score units, one for all entries or a mapping name -> threshold, where entries that are not named stay
    whole. locked: names that stay whole. Raises BadSetting for a threshold that is not a number, and UnknownName for a
    threshold or lock of a row that is not there.
    """
    rows = rows_of(scores)
    each = dict(threshold) if isinstance(threshold, Mapping) else dict.fromkeys(rows, threshold)
    locked = frozenset(locked)
    check_names([*each, *sorted(locked)], rows)
    # A python number is compared in the type of the scores, as on the slider: 0.1 is float32's 0.1 there.
    limits = {name: _number(given, name) for name, given in each.items() if name not in locked}
    with np.errstate(over="ignore"):  # a threshold beyond float32 is infinite there, which is what it means
        return mask_of(scores, rows, {name: rows[name] < limit for name, limit in limits.items()})


def _number(given, name: str) -> float:
    try:
        number = float(given)
    except (TypeError, ValueError):
        number = float("nan")
    if number != number:
        sentence = _("The threshold of {name} must be a number, not “{given}”.")
        raise BadSetting(sentence.format(name=name, given=given))
    return number
