"""The rules: from progress in (0, 1], the share of rounds done, to the share of the target reached by then.

A rule is named after its schedule in `prunekit/core/schedules.py`.
"""


def one_shot(progress: float) -> float:
    """Everything at the first cut."""
    return 1.0


def iterative(progress: float) -> float:
    """The same amount at each cut (the sparsity grows linearly, as in iterative pruning by equal steps)."""
    return progress
