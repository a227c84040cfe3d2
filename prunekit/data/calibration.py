"""Calibration sets: the few training examples that data-driven criteria look at."""

import torch

from prunekit.data.dataset import Dataset


def calibration_set(
    dataset: Dataset, n: int = 512, seed: int = 0, batch_size: int = 128
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """`n` class-balanced examples of the training part, as (normalised inputs, targets) batches.

    From the training part, so that what is scored here is decided elsewhere: the validation part stays unseen.
    Raises BadSetting when there are fewer than `n` examples.
    """
    return list(dataset.train.subset(n, seed).batches(batch_size))
