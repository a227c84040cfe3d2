"""One part of a data set: examples kept small in memory, handed out as normalised batches."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from prunekit.core.errors import BadSetting
from prunekit.core.language import _
from prunekit.core.tasks import Task
from prunekit.data.augmentation import erased, flipped, shifted
from prunekit.data.choosing import balanced


@dataclass(frozen=True, eq=False)
class Split:
    """Examples and their targets.

    inputs: (N, C, H, W) uint8 for images, where 255 stands for 1.0, or (N, ...) float32 for anything else;
    targets: (N,) int64 class numbers, or float32 for regression; normalization: (means, standard deviations) per
    channel (dimension 1) of the inputs as floats; flips, shift: the augmentation that the data set allows;
    erase: the side of a square that it blanks besides, for nets that were trained so (see `erased`);
    task: what a model is asked to do with the examples, and so the metric it is judged by.
    """

    inputs: torch.Tensor
    targets: torch.Tensor
    normalization: tuple[tuple[float, ...], tuple[float, ...]]
    flips: bool = False
    shift: int = 0
    erase: int = 0
    task: Task | None = None

    def __len__(self) -> int:
        return len(self.targets)

    def batches(
        self, size: int, shuffle: bool = False, seed: int = 0, augment: bool = False
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Batches of (float32 normalised inputs, targets); the last one may be smaller.

        The order and the augmentation depend on `seed` alone, and leave torch's own random state as it is.
        Raises BadSetting for a size below 1.
        """
        if size < 1:
            raise BadSetting(_("The batch size must be at least 1, not {size}.").format(size=size))
        return self._batches(size, shuffle, seed, augment)

    def _batches(self, size, shuffle, seed, augment):
        random = torch.Generator().manual_seed(seed)
        order = torch.randperm(len(self), generator=random) if shuffle else torch.arange(len(self))
        for rows in order.split(size):
            inputs = self.inputs[rows]
            if augment and self.shift:
                inputs = shifted(inputs, self.shift, random)
            if augment and self.flips:
                inputs = flipped(inputs, random)
            inputs = self.normalised(inputs)
            if augment and self.erase:
                inputs = erased(inputs, self.erase, random)  # after that, zero is the mean of all pixels
            yield inputs, self.targets[rows]

    def normalised(self, inputs: torch.Tensor) -> torch.Tensor:
        """Raw inputs as the networks want them: float32 with mean 0 and standard deviation 1, channel by channel."""
        scale = 255.0 if inputs.dtype is torch.uint8 else 1.0
        shape = (-1,) + (1,) * (inputs.dim() - 2)
        mean, std = (torch.tensor(values).view(shape) for values in self.normalization)
        # One multiplication and one addition on each pixel: this runs in every training step.
        return inputs.float().mul_(1 / (scale * std)).sub_(mean / std)

    def subset(self, n: int, seed: int = 0) -> "Split":
        """`n` examples, the same number of each class as far as there are enough, in mixed order.

        Raises BadSetting when `n` is below 1 or above the number of examples.
        """
        if not 1 <= n <= len(self):
            sentence = _("{n} examples were asked for; choose between 1 and {available}.")
            raise BadSetting(sentence.format(n=n, available=len(self)))
        return self.take(balanced(self.targets, n, seed))

    def take(self, rows) -> "Split":
        """The examples at the given positions, in that order."""
        rows = torch.as_tensor(rows)
        return dataclasses.replace(self, inputs=self.inputs[rows], targets=self.targets[rows])

    def tensors(self) -> tuple[torch.Tensor, torch.Tensor]:
        """All (normalised inputs, targets) at once, copied."""
        return self.normalised(self.inputs), self.targets.clone()
