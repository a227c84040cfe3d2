"""A data set: three splits and what is known of them."""

import dataclasses
from dataclasses import dataclass

from prunekit.core.data_cards import DataCard
from prunekit.core.tasks import Task
from prunekit.data.split import Split


@dataclass(frozen=True, eq=False)
class Dataset:
    """Train to learn, validation to decide, test to report.

    classes: the names of the targets; full: whether this is the full set, not a shipped subset.
    """

    card: DataCard
    train: Split
    validation: Split
    test: Split
    classes: tuple[str, ...]
    full: bool

    @property
    def id(self) -> str:
        return self.card.id

    @property
    def task(self) -> Task:
        return self.train.task

    @property
    def normalization(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """(means, standard deviations) of images in [0, 1], one number per channel."""
        return self.train.normalization

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Of one example; (channels, height, width) for images."""
        return tuple(self.train.inputs.shape[1:])

    def erasing(self, side: int) -> "Dataset":
        """With Cutout in the training split's augmentation: the side of the blanked square in pixels, 0 for none."""
        return dataclasses.replace(self, train=dataclasses.replace(self.train, erase=side))
