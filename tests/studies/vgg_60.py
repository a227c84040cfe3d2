"""60 % of the parameters removed from vgg-cifar10: how much test accuracy is lost?"""

from prunekit.core.recipe import Recipe, Training
from tests.results import Row
from tests.studies.lost import lost_row

DATA = "full"
SEEDS = (0, 1, 2)
# Decided on validation (the dense net has 0.940), with the first two stages whole: 8 epochs of plain fine-tuning from
# 0.01 with all layers cut 0.918; 8 and 20 epochs of retraining from 0.05 and 0.04 with label smoothing 0.924 and 0.925;
# 8 epochs of distillation from 0.05 0.926; 6 epochs of distillation from 0.01 0.928.
TRAINING = Training(epochs=14, learning_rate=0.02, batch_size=128, distillation=0.9)
# The first two stages hold a tenth of the parameters and suffer most from a cut: by validation they stay whole.
WHOLE = ("conv1_1", "conv1_2", "conv2_1", "conv2_2")
DEFAULT, BESIDE = Recipe().scorer, ("magnitude", "random")


def recipes() -> list[tuple[str, Recipe]]:
    """The default criterion with each seed, then the simplest one and the control with the same epochs and data.

    These have one seed: a run takes three quarters of an hour.
    """
    base = Recipe("vgg-cifar10", granularity="channel", scope="layer", target="parameters", amount=0.6)
    base = base.with_(locked=WHOLE, training=TRAINING)
    asked = [(DEFAULT, seed) for seed in SEEDS] + [(scorer, SEEDS[0]) for scorer in BESIDE]
    return [(scorer, base.with_(scorer=scorer, seed=seed)) for scorer, seed in asked]


def rows(points: list[dict]) -> list[Row]:
    """The loss in points of test accuracy of the last epoch: mean over the seeds, and its range."""
    return [lost_row("vgg_60_accuracy_lost", points, scorer, DEFAULT) for scorer in (DEFAULT, *BESIDE)]
