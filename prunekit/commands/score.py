"""`prunekit score`: the scores of a model's weights, parts of them or channels, a line a layer."""

from prunekit.commands.options import add_model, add_scoring
from prunekit.core.language import N_

HELP = N_("Score the weights, parts of them or channels of a model and print how the scores lie.")


def arguments(parser) -> None:
    add_model(parser)
    add_scoring(parser)


def run(options) -> dict:
    """Prints, or returns as JSON, each row's number of units and its lowest, median, mean and highest score."""
    from prunekit.commands.scoring import scored

    recipe, _model, scores = scored(options)
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
