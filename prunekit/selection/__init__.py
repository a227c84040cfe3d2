"""From scores to a mask: by exact fraction or by threshold. Knows numbers, not models."""

from prunekit.selection.agreement import overlap, rank_correlation
from prunekit.selection.lowest import prune_cut, prune_lowest
from prunekit.selection.ranking import order_of, sorted_scores
from prunekit.selection.threshold import prune_below

__all__ = ["order_of", "overlap", "prune_below", "prune_cut", "prune_lowest", "rank_correlation", "sorted_scores"]
