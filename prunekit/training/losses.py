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


def softened_divergence(outputs: torch.Tensor, answers: torch.Tensor, temperature: float) -> torch.Tensor:
    """How far (N, classes) logits are from a teacher's: the Kullback-Leibler divergence of their softened
    probabilities times temperature squared, which keeps the size of its gradients (Hinton et al., 2015); mean over N.
    """
    own, theirs = (functional.log_softmax(logits / temperature, dim=1) for logits in (outputs, answers))
    return functional.kl_div(own, theirs, reduction="batchmean", log_target=True) * temperature**2


def squared_distance(outputs: torch.Tensor, answers: torch.Tensor, temperature: float) -> torch.Tensor:
    """Mean squared difference of predicted numbers; temperature has no meaning here and changes nothing."""
    return functional.mse_loss(outputs, answers)


LOSSES = {"cross_entropy": cross_entropy, "mean_squared_error": mean_squared_error}
# For the loss that a task names, how far a network is from its teacher.
DISTANCES = {"cross_entropy": softened_divergence, "mean_squared_error": squared_distance}
