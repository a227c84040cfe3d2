"""From a cut to the counts of a VGG-16 with 138 M parameters: how long, and how exact?"""

import statistics
import time

import torchvision

from prunekit.core.cut_table import CutTable
from prunekit.core.cuts import Cut
from prunekit.scoring import score
from prunekit.selection import prune_cut, sorted_scores
from prunekit.structure import weight_costs
from tests.results import Row

CHECKED = (0.1, 0.5, 0.93)


def measure() -> list[Row]:
    """The median of 500 cuts, each with its kept counts and totals; three of them checked against real masks."""
    import torch

    model = torchvision.models.vgg16(weights=None).eval()
    inputs = torch.zeros(1, 3, 224, 224)
    scores = score(model, "magnitude", granularity="weight", example_inputs=inputs)
    table = CutTable.of(sorted_scores(scores), weight_costs(model, inputs))
    times = []
    for step in range(500):
        cut = Cut((step * 0.6180339887) % 1)
        before = time.perf_counter()
        table.costs.totals(table.kept(cut))
        times.append(1000 * (time.perf_counter() - before))
    times = times[1:]  # the first one ranks all layers together, once
    error = max(_error(table, scores, Cut(sparsity)) for sparsity in CHECKED)
    assert error <= 0.001, f"a layer's count is off by {error:.2%}"
    quartiles = statistics.quantiles(times, n=4)
    spread = f"quartiles {quartiles[0]:.3f} to {quartiles[2]:.3f} ms; counts exact to {100 * error:.3f} % of a layer"
    what = "cut to kept counts, parameters, MACs and bytes of a VGG-16 with 138 M weights, global scope, median"
    return [Row("cut_counts_138m_ms", round(statistics.median(times), 4), "ms", "<= 1", spread, what)]


def _error(table: CutTable, scores, cut: Cut) -> float:
    """The largest difference between a layer's count and its real mask, as a share of the layer."""
    mask = prune_cut(scores, cut)
    pairs = zip(table.names, table.pruned(cut), table.units, strict=True)
    return max(abs(int(count) - int((~mask[name]).sum())) / int(units) for name, count, units in pairs)
