"""60 % of the parameters removed from vgg-cifar10: how much test accuracy is lost?"""

from prunekit.core.recipe import Recipe, Training
from tests.results import Row
from tests.studies.lost import lost_row

DATA = "full"
SEEDS = (0, 1, 2)
# All of this was decided on validation, where the dense net has 0.940. With all layers cut, 8 epochs of plain
# fine-tuning gave 0.918. With the first two stages whole and the others cut alike, 20 epochs of retraining from 0.04
# gave 0.925; distillation gave 0.928 after 6 epochs from 0.01 and 0.933 after 14 from 0.02. With the last two layers
# cut most, it gave 0.918 and 0.927 in the two epochs of a run from 0.01, and 0.863, 0.894 and 0.900 in the first three
# of eight from 0.02: this speaks for the smaller rate, though the lengths differ. Scored on 2,048 examples the
# cut alone leaves 0.59, on 512 it leaves 0.48.
TRAINING = Training(epochs=10, learning_rate=0.01, batch_size=128, distillation=0.9)
# They hold a tenth of the parameters and suffer most from a cut.
WHOLE = ("conv1_1", "conv1_2", "conv2_1", "conv2_2")
OWN = {"conv4_1": 0.57, "conv4_2": 0.75}
DEFAULT, BESIDE = Recipe().scorer, ("magnitude", "random")


def recipes() -> list[tuple[str, Recipe]]:
    """The default criterion with each seed, then the simplest one and the control with the same epochs and data.

    These have one seed: a run takes half an hour.
    """
    base = Recipe("vgg-cifar10", granularity="channel", scope="layer", target="parameters", amount=0.6)
    base = base.with_(locked=WHOLE, overrides=OWN, calibration=2048, training=TRAINING)
    asked = [(DEFAULT, seed) for seed in SEEDS] + [(scorer, SEEDS[0]) for scorer in BESIDE]
    return [(scorer, base.with_(scorer=scorer, seed=seed)) for scorer, seed in asked]


def rows(points: list[dict]) -> list[Row]:
    """The loss in points of test accuracy of the last epoch: mean over the seeds, and its range."""
    return [lost_row("vgg_60_accuracy_lost", points, scorer, DEFAULT) for scorer in (DEFAULT, *BESIDE)]
