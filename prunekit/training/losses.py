"""The losses that tasks name: functions of (outputs, targets) to a scalar."""

import torch
from torch.nn import functional


def cross_entropy(outputs: torch.Tensor, targets: torch.Tensor, label_smoothing: float = 0.0) -> torch.Tensor:
    """Mean cross-entropy of (N, classes) logits and (N,) class numbers.

    label_smoothing: the share of each target that is spread over all classes (Szegedy et al., 2016), in [0, 1].
    """
    return functional.cross_entropy(outputs, targets, label_smoothing=label_smoothing)


def mean_squared_error(outputs: torch.Tensor, targets: torch.Tensor, label_smoothing: float = 0.0) -> torch.Tensor:
    """Mean squared error; label smoothing has no meaning here and changes nothing."""
    # reshape: (N, 1) outputs against (N,) targets would broadcast to (N, N) without a word.
    return functional.mse_loss(outputs.reshape(targets.shape), targets)


LOSSES = {"cross_entropy": cross_entropy, "mean_squared_error": mean_squared_error}
