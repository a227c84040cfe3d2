"""Which examples go where: stratified parts and class-balanced choices, the same on every machine."""

import numpy as np


def _mixed(count: int, seed: int) -> np.ndarray:
    # RandomState's stream is frozen for good; a split must never change with a newer numpy, or trained models
    # would meet their training images again in the validation part.
    return np.random.RandomState(seed).permutation(count)


def _rank_in_class(targets: np.ndarray, order: np.ndarray) -> np.ndarray:
    """For each position in `order`, how many examples of the same class come before it."""
    ranks = np.empty(len(order), dtype=np.int64)
    for name in np.unique(targets):
        places = np.flatnonzero(targets[order] == name)
        ranks[places] = np.arange(len(places))
    return ranks


def balanced(targets, n: int, seed: int) -> np.ndarray:
    """`n` positions: as many of each class as there are of any other, while they last; in mixed order.

    targets: (N,) class numbers; where they are not whole numbers (regression) the choice is simply random.
    """
    targets = np.asarray(targets)
    order = _mixed(len(targets), seed)
    if not np.issubdtype(targets.dtype, np.integer):
        return order[:n]
    # One of each class, then a second of each, and so on: every prefix is as balanced as it can be.
    return order[np.argsort(_rank_in_class(targets, order), kind="stable")][:n]


def stratified(targets, shares: tuple[float, ...], seed: int) -> list[np.ndarray]:
    """Positions in as many parts as there are shares (which sum to 1), with each class shared out in that proportion.

    Returns ascending positions; every example is in exactly one part.
    """
    targets = np.asarray(targets)
    order = _mixed(len(targets), seed)
    ends = np.cumsum(shares)
    parts = [[] for _ in shares]
    for name in np.unique(targets):
        members = order[targets[order] == name]
        bounds = np.rint(ends * len(members)).astype(np.int64)
        for part, chunk in zip(parts, np.split(members, bounds[:-1]), strict=True):
            part.append(chunk)
    return [np.sort(np.concatenate(part)) for part in parts]
