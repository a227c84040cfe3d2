"""The scorers in plain words and values, for menus and cards in a server that has no torch."""

import dataclasses
from collections.abc import Mapping

from prunekit.core.settings import settings_of
from prunekit.scoring.base import Scorer
from prunekit.scoring.catalogue import BUILT_IN


def describe(scorers: Mapping[str, type[Scorer]] = BUILT_IN) -> list[dict]:
    """One JSON-able dict for each scorer, with the fields of `core.descriptions.ScorerDescription` but for `own`."""
    return [
        {
            "name": scorer.name,
            "label": scorer.label,
            "formula": scorer.formula,
            "help": scorer.help,
            "source": scorer.source,
            "needs": scorer.needs,
            "granularities": list(scorer.answers()),
            # What is a criterion's own comes before what many have.
            "knobs": [_plain(s) for s in sorted(settings_of(scorer), key=lambda s: s.later)],
        }
        for scorer in scorers.values()
    ]


def _plain(s) -> dict:
    lists = {name: list(getattr(s, name)) for name in ("choices", "labels", "only")}
    return dataclasses.asdict(s) | {"kind": s.kind.__name__} | lists
