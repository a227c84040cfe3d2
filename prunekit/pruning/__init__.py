"""The one loop that runs a recipe: score, select, cut, fine-tune, weigh; and what each layer can lose."""

from prunekit.core.recipe import Recipe, Training
from prunekit.pruning.loop import Outcome, execute
from prunekit.pruning.scan import sensitivity

__all__ = ["Outcome", "Recipe", "Training", "execute", "sensitivity"]
