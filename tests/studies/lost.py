"""The row of a study that asks how much test accuracy is lost."""

import statistics

from tests.results import Row

GOAL = "<= 0.5"


def lost_row(name: str, points: list[dict], scorer: str, main: str) -> Row:
    """The loss in points of test accuracy of the last epoch: mean over the seeds of `scorer`, and their range.

    main: the scorer that the goal is for; the rows of the others carry their name.
    """
    of_scorer = [point for point in points if point["label"] == scorer]
    lost = [100 * (point["test_baseline"] - point["test_finetuned"]) for point in of_scorer]
    gone = statistics.mean(1 - point["parameters_after"] / point["parameters_before"] for point in of_scorer)
    return Row(
        name if scorer == main else f"{name}_{scorer}",
        round(statistics.mean(lost), 3),
        "points",
        GOAL if scorer == main else "",
        f"{min(lost):.2f} to {max(lost):.2f} over {len(lost)} seeds" if len(lost) > 1 else "one seed",
        f"{scorer}: test accuracy lost with {100 * gone:.1f} % of the parameters removed, last epoch",
    )
