"""The metrics that tasks name: each gathers batches of (outputs, targets) and gives a value with its interval."""

import math

import numpy as np
import torch

Z95 = 1.959963984540054  # two-sided 95 % of the normal distribution


def wilson(successes: int, n: int, z: float = Z95) -> tuple[float, float]:
    """The interval of a proportion (Wilson, 1927), in [0, 1]; unlike the textbook one it never leaves that range.

    z: how many standard errors wide; the default gives 95 %. Nothing is known of zero trials: (0, 1).
    """
    if n == 0:
        return 0.0, 1.0
    share, squared = successes / n, z * z
    middle = (share + squared / (2 * n)) / (1 + squared / n)
    half = z / (1 + squared / n) * math.sqrt(share * (1 - share) / n + squared / (4 * n * n))
    # Exact at the ends, where rounding would leave 1e-17 or put the value itself outside.
    low = 0.0 if successes == 0 else max(0.0, middle - half)
    high = 1.0 if successes == n else min(1.0, middle + half)
    return low, high


class Accuracy:
    """The share of examples whose highest output is the target class; with Wilson's 95 % interval."""

    name = "accuracy"

    def __init__(self):
        self.correct = 0
        self.n = 0

    def add(self, outputs: torch.Tensor, targets: torch.Tensor) -> None:
        """Counts one batch: (N, classes) outputs, (N,) class numbers."""
        self.correct += int((outputs.argmax(dim=1) == targets).sum())
        self.n += len(targets)

    @property
    def value(self) -> float:
        return self.correct / self.n if self.n else 0.0

    def interval(self) -> tuple[float, float]:
        return wilson(self.correct, self.n)


class R2:
    """The share of the targets' variance that the outputs explain, 1 at best; with a 95 % bootstrap interval."""

    name = "r2"
    resamples = 200

    def __init__(self):
        self._outputs: list[np.ndarray] = []
        self._targets: list[np.ndarray] = []

    def add(self, outputs: torch.Tensor, targets: torch.Tensor) -> None:
        """Keeps one batch: outputs and targets with the same number of values."""
        self._targets.append(targets.detach().double().cpu().numpy().ravel())
        self._outputs.append(outputs.detach().double().cpu().numpy().reshape(self._targets[-1].shape))

    @property
    def n(self) -> int:
        return sum(map(len, self._targets))

    @property
    def value(self) -> float:
        targets, errors = self._all()
        return float(_r2(targets, errors)) if len(targets) else 0.0

    def interval(self) -> tuple[float, float]:
        """The middle 95 % of the values of random resamples (Efron, 1979), the same ones every time."""
        targets, errors = self._all()
        if not len(targets):
            return -math.inf, 1.0
        random = np.random.default_rng(0)
        rows = (random.integers(len(targets), size=len(targets)) for _ in range(self.resamples))
        low, high = np.quantile([_r2(targets[r], errors[r]) for r in rows], (0.025, 0.975))
        return float(low), float(high)

    def _all(self) -> tuple[np.ndarray, np.ndarray]:
        targets = np.concatenate([np.empty(0), *self._targets])
        return targets, np.concatenate([np.empty(0), *self._outputs]) - targets


def _r2(targets: np.ndarray, errors: np.ndarray) -> float:
    left, total = np.sum(errors**2), np.sum((targets - targets.mean()) ** 2)
    if total == 0:  # nothing to explain: perfect or not, as in scikit-learn
        return 1.0 if left == 0 else 0.0
    return 1 - left / total


METRICS = {m.name: m for m in (Accuracy, R2)}
