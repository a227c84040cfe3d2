"""How far two criteria, or two cuts, agree about the same units."""

import torch

SAMPLE = 2**20  # units, evenly spaced: of more than so many the ranks of a sample tell as much


def rank_correlation(one: torch.Tensor, other: torch.Tensor) -> float | None:
    """Spearman's rank correlation of two tensors of scores of the same units, in [-1, 1]; units that tie share their
    mean rank. None where either gives all units the same score, or there are fewer than two.
    """
    stride = one.numel() // SAMPLE + 1
    pair = torch.stack([_ranks(scores.flatten()[::stride]) for scores in (one, other)])
    pair -= pair.mean(1, keepdim=True)
    norms = pair.norm(dim=1)
    if pair.shape[1] < 2 or not norms.all():
        return None
    return float(((pair[0] @ pair[1]) / norms.prod()).clamp(-1, 1))


def overlap(one: torch.Tensor, other: torch.Tensor) -> dict[str, int]:
    """How many units two masks of the same shape both keep, only one of them, only the other, and neither."""
    return {
        "both": int((one & other).sum()),
        "only_a": int((one & ~other).sum()),
        "only_b": int((~one & other).sum()),
        "neither": int((~one & ~other).sum()),
    }


def _ranks(scores: torch.Tensor) -> torch.Tensor:
    _values, place, counts = scores.unique(return_inverse=True, return_counts=True)
    ends = counts.cumsum(0).double()
    return (ends - (counts - 1) / 2)[place]
