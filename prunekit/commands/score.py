"""`prunekit score`: the scores of a model's weights or channels, a line a layer."""

from prunekit.commands.options import add_model, add_scoring, pairs
from prunekit.core.cards import model_card
from prunekit.core.errors import NeedsData
from prunekit.core.language import N_, _

HELP = N_("Score the weights or channels of a model and print how the scores lie.")


def arguments(parser) -> None:
    add_model(parser)
    add_scoring(parser)


def run(options) -> dict:
    """Prints, or returns as JSON, each row's number of units and its lowest, median, mean and highest score."""
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
    scores = score(
        load_model(recipe.model, report=tell),
        recipe.scorer,
        granularity=recipe.granularity,
        calibration=examples,
        task=card.task,
        seed=recipe.seed,
        **pairs(options.knob, "--knob"),
    )
    rows = [
        {
            "name": name,
            "units": entry.numel(),
            "lowest": float(entry.min()),
            "median": float(entry.median()),
            "mean": float(entry.mean()),
            "highest": float(entry.max()),
        }
        for name, entry in scores.items()
    ]
    if not options.json:
        print(f"{'':16} {'units':>9} {'lowest':>11} {'median':>11} {'mean':>11} {'highest':>11}")
        for row in rows:
            figures = " ".join(f"{row[part]:11.4g}" for part in ("lowest", "median", "mean", "highest"))
            print(f"{row['name']:16} {row['units']:>9,} {figures}")
    return {"model": recipe.model, "scorer": recipe.scorer, "granularity": recipe.granularity, "rows": rows}
