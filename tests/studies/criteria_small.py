"""Five criteria on two small nets, at many cuts, before and after the same short fine-tuning.

Batch-norm scale has no answer for single weights, and none for LeNet: its hidden linear layer has no batch norm.
"""

from prunekit.core.recipe import Recipe, Training
from prunekit.core.sweep import Sweep

DATA = "shipped"  # so that everybody can repeat it
SEEDS = (0, 1, 2)
SCORERS = ("magnitude", "taylor", "contribution", "bn_scale", "random")
WITHOUT = {"lenet-fashion": ("bn_scale",)}
MODELS = {"lenet-fashion": "LeNet", "resnet20-cifar10": "ResNet-20"}
AMOUNTS = {"weight": (0.5, 0.8, 0.9, 0.95), "channel": (0.3, 0.5, 0.7)}
# The same for all, and short: what is compared is the criterion, not the healing.
TRAINING = Training(epochs=2, learning_rate=0.01)


def sweeps() -> list[Sweep]:
    """One for each net and granularity; a criterion that has no answer there is left out."""
    return [
        Sweep(
            base=Recipe(model, granularity=granularity, training=TRAINING),
            scorers=tuple(scorer for scorer in SCORERS if scorer not in WITHOUT.get(model, ())),
            amounts=amounts,
            granularities=(granularity,),
            seeds=SEEDS,
            title=f"Study: five criteria, {granularity}s of {name}",
        )
        for model, name in MODELS.items()
        for granularity, amounts in AMOUNTS.items()
    ]


def recipes() -> list[tuple[str, Recipe]]:
    """Sweep by sweep."""
    return [(sweep.title, recipe) for sweep in sweeps() for recipe in sweep.recipes()]
