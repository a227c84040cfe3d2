"""How much each row of scores can lose: a question for each row and sparsity, which share what they compute."""

import functools
import time

from prunekit.core.cards import model_card
from prunekit.experiments.answers.subjects import check_has_data, scan_of, scores_of
from prunekit.training.threads import idle_threads, torch_threads

THREADS_SECONDS = 20  # for which the number of threads is kept


def sensitivity(
    model_id: str,
    scorer: str,
    knobs: dict,
    granularity: str,
    seed: int,
    calibration: int,
    row: str,
    sparsity: float,
) -> dict:
    """The metric with one row cut and everything else left alone, on the examples of the previews: a `Cell`."""
    check_has_data(model_card(model_id))
    scores = scores_of(model_id, scorer, knobs, granularity, seed, calibration)
    with torch_threads(_threads(int(time.monotonic() / THREADS_SECONDS))):
        return scan_of(model_id).cell(scores, row, sparsity).to_plain()


@functools.lru_cache(maxsize=1)
def _threads(moment: int) -> int:
    """To look how many cores are idle takes a fifth of a second, longer than many a cell."""
    return idle_threads()
