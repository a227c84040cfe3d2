"""The one loop that runs a recipe: score, select, cut, fine-tune, weigh."""

from prunekit.core.recipe import Recipe, Training
from prunekit.pruning.loop import Outcome, execute

__all__ = ["Outcome", "Recipe", "Training", "execute"]
