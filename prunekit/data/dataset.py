"""A data set: three splits and what is known of them."""

from dataclasses import dataclass

from prunekit.core.tasks import Task
from prunekit.data.split import Split


@dataclass(frozen=True, eq=False)
class Dataset:
    """Train to learn, validation to decide, test to report.

    normalization: (means, standard deviations), one number per channel, of images in [0, 1];
    input_shape: of one example, (channels, height, width) for images; full: the full set, not a shipped subset;
    flips, shift: what augmentation is allowed, mirroring and moving by up to `shift` pixels.
    """

    id: str
    title: str
    task: Task
    train: Split
    validation: Split
    test: Split
    classes: tuple[str, ...]
    normalization: tuple[tuple[float, ...], tuple[float, ...]]
    input_shape: tuple[int, ...]
    full: bool
    source: str
    licence: str
    flips: bool = False
    shift: int = 0
