"""What `score` and `sensitivity` begin with: the scores that the options ask for."""

from prunekit.commands.options import pairs
from prunekit.core.cards import model_card
from prunekit.core.errors import NeedsData
from prunekit.core.language import _


def scored(options):
    """The recipe of the options, the model, and its scores. Raises NeedsData where the criterion has none here."""
    from prunekit.commands.line import tell
    from prunekit.core.recipe import Recipe
    from prunekit.data import calibration_set, load_dataset
    from prunekit.models import load_model
    from prunekit.scoring import SCORERS, score

    recipe = Recipe(
        options.model,
        scorer=options.scorer,
        granularity=options.granularity,
        calibration=options.calibration,
        seed=options.seed,
    )
    card = model_card(recipe.model)
    examples = None
    if options.scorer in SCORERS and SCORERS[options.scorer].needs != "weights":
        if lack := card.lack_of_data():
            raise NeedsData(_("{lack} Choose one that looks at the weights: --scorer magnitude.").format(lack=lack))
        examples = calibration_set(load_dataset(recipe.data), recipe.calibration, recipe.seed)
    model = load_model(recipe.model, report=tell)
    scores = score(
        model,
        recipe.scorer,
        granularity=recipe.granularity,
        calibration=examples,
        task=card.task,
        seed=recipe.seed,
        **pairs(options.knob, "--knob"),
    )
    return recipe, model, scores
