"""60 % of the parameters removed from vgg-cifar10: how much test accuracy is lost?"""

from prunekit.core.recipe import Recipe, Training
from tests.results import Row
from tests.studies.lost import lost_row

DATA = "full"
SEEDS = (0, 1, 2)
TRAINING = Training(epochs=8, learning_rate=0.01)
SCORERS = (Recipe().scorer, "magnitude", "random")


def recipes() -> list[tuple[str, Recipe]]:
    """The default criterion, the simplest one and the control, with the same epochs, learning rate and data."""
    base = Recipe("vgg-cifar10", granularity="channel", target="parameters", amount=0.6, training=TRAINING)
    return [(scorer, base.with_(scorer=scorer, seed=seed)) for scorer in SCORERS for seed in SEEDS]


def rows(points: list[dict]) -> list[Row]:
    """The loss in points of test accuracy of the last epoch: mean over the seeds, and its range."""
    return [lost_row("vgg_60_accuracy_lost", points, scorer, SCORERS[0]) for scorer in SCORERS]
