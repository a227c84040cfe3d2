"""Half of the parameters removed from lenet-fashion, on the shipped data: how much test accuracy is lost?"""

from prunekit.core.recipe import Recipe, Training
from tests.results import Row
from tests.studies.lost import lost_row

DATA = "shipped"
SEEDS = (0, 1, 2)
# Chosen on validation data among learning rates 0.001 to 0.01 and label smoothing 0 to 0.1.
TRAINING = Training(epochs=10, learning_rate=0.003, label_smoothing=0.1, precision="float32")
SCORERS = (Recipe().scorer, "magnitude", "random")  # the default criterion, the simplest one, and the control


def recipes() -> list[tuple[str, Recipe]]:
    """Three criteria with the same epochs, learning rate and data; all rank the whole net together."""
    base = Recipe("lenet-fashion", granularity="channel", target="parameters", amount=0.5, training=TRAINING)
    return [(scorer, base.with_(scorer=scorer, seed=seed)) for scorer in SCORERS for seed in SEEDS]


def rows(points: list[dict]) -> list[Row]:
    """The loss in points of test accuracy of the last epoch: mean over the seeds, and its range."""
    return [lost_row("lenet_half_accuracy_lost", points, scorer, SCORERS[0]) for scorer in SCORERS]
