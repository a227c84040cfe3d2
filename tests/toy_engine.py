"""An engine that answers in this process, about a made-up chain of layers: for pages, not for what they ask.

It pickles arguments and answers both ways, as the real one does, so that nothing is shared by accident.
"""

import pickle

import numpy as np

from prunekit.core.cut_table import Costs, CutTable
from prunekit.core.cuts import ZEROED, Cut, exact_count
from prunekit.core.errors import CannotScore
from prunekit.core.language import _
from prunekit.core.sensitivity import Cell
from prunekit.experiments.engine import Pending

BINS = 96


class ToyEngine:
    """`rows` layers of 8, 12, 16... channels, 3x3 kernels, one input channel; scores are seeded by the criterion.

    norm: whether there is batch norm behind the last layer;
    slow: how many times a question is answered with Pending before it is answered.
    """

    def __init__(self, rows: int = 5, slow: int = 0, state: str = "ready"):
        self.channels = [1] + [8 + 4 * i for i in range(rows)]
        self.names = [f"conv{i + 1}" for i in range(rows)]
        self.slow, self.state = slow, state
        self.asked: list[tuple] = []
        self.lanes: list[str] = []
        self.answered: dict[tuple, object] = {}
        self.enabled = True
        self.norm = False

    def ask(self, name, *args, lane="quick", patience=0.05, visitor=""):
        question = name.split(":")[1]
        asked = (question, pickle.dumps(args))
        self.asked.append((question, args))
        self.lanes.append(lane)
        if sum((q, pickle.dumps(a)) == asked for q, a in self.asked) <= self.slow:
            return Pending("computing")
        self.answered[asked] = getattr(self, question)(*pickle.loads(asked[1]))
        return pickle.loads(pickle.dumps(self.answered[asked]))

    def asked_for(self, question: str, lane: str = "quick") -> list[tuple]:
        """The arguments of a question that was asked on a lane, each time."""
        return [args for (name, args), on in zip(self.asked, self.lanes, strict=True) if (name, on) == (question, lane)]

    def status(self):
        return {"state": self.state, "sentence": _("The engine is {state}.").format(state=self.state), "lanes": {}}

    def warm_up(self):
        self.state = "ready"

    def weights_of(self, i: int) -> int:
        return 9 * self.channels[i] * self.channels[i + 1]

    def summary(self, model: str) -> dict:
        layers = [
            {
                "name": name,
                "kind": "Conv2d",
                "shape": [self.channels[i + 1], self.channels[i], 3, 3],
                "output_shape": [self.channels[i + 1], 8, 8],
                "parameters": self.weights_of(i),
                "macs": 64 * self.weights_of(i),
                "prunable": True,
                "reason": "",
            }
            for i, name in enumerate(self.names)
        ]
        if self.norm:
            norm = {"name": "bn", "kind": "BatchNorm2d", "shape": [8], "parameters": 0, "macs": 0, "prunable": False}
            layers.append(layers[-1] | norm | {"reason": "It follows its neighbours."})
        parameters = sum(layer["parameters"] for layer in layers)
        groups = [
            {
                "name": n,
                "units": u,
                "layers": [n],
                "together": [n],
                "prunable": True,
                "problem": "",
                "exact": True,
                "inexact_because": "",
            }
            for n, u in zip(self.names, self.channels[1:], strict=True)
        ]
        whole = {"model": model, "parameters": parameters, "macs": 64 * parameters, "bytes": 4 * parameters}
        return whole | {"layers": layers, "groups": groups}

    def exploration(self, model, scorer, knobs, granularity, seed, calibration) -> dict:
        if scorer == "bn_scale":
            raise CannotScore(_("There is no batch norm in conv1; choose another criterion."))
        random = np.random.default_rng([len(scorer), seed, len(model)])
        single = granularity in ZEROED
        names = [f"{name}.weight" if single else name for name in self.names]
        units = [self.weights_of(i) if single else self.channels[i + 1] for i in range(len(self.names))]
        weights = {
            n: random.normal(0, 0.3 / (1 + i) ** 0.5, u) for i, (n, u) in enumerate(zip(names, units, strict=True))
        }
        scores = {
            name: np.sort(np.abs(values) if single else random.gamma(3.0, 0.4 + 0.05 * i, len(values)))
            for i, (name, values) in enumerate(weights.items())
        }
        scores = {name: values.astype(np.float32) for name, values in scores.items()}
        return {
            "table": CutTable.of(scores, self.costs(single)).to_plain(),
            "rows": [
                {"name": n, "layer": layer, "label": layer, "units": u}
                for n, layer, u in zip(names, self.names, units, strict=True)
            ],
            "scores": {n: histogram(v) | {"log": False} for n, v in scores.items()},
            "left_out": {},
            "weights": {n: histogram(v) for n, v in weights.items()},
        }

    def measured_latency(self, model, batch_size, moment) -> dict:
        ms = 2.0 * batch_size
        return {"median_ms": ms, "low_ms": 0.9 * ms, "high_ms": 1.2 * ms, "runs": 100, "threads": 2}

    def bounds_latency(self, model, *question) -> dict:
        *_asked, batch, _moment = question
        times = {"before_ms": 2.0 * batch, "after_ms": 1.6 * batch}
        return times | {"speedup": 1.25, "speedup_low": 1.1, "speedup_high": 1.3, "runs": 100, "threads": 2}

    def sensitivity(self, model, scorer, knobs, granularity, seed, calibration, row, sparsity) -> dict:
        """The later a layer, the less it loses; of the first one, a tenth is less than one channel."""
        units = {r["name"]: r["units"] for r in self.exploration(model, scorer, knobs, granularity, 0, 0)["rows"]}[row]
        pruned = exact_count(sparsity, units) if (row, sparsity) != (self.names[0], 0.1) else 0
        value = 0.9 - 0.2 * sparsity**2 / (1 + self.names.index(row.removesuffix(".weight"))) if pruned else None
        low, high = (value - 0.02, value + 0.02) if pruned else (None, None)
        return Cell(row, sparsity, pruned, units, value, low, high, 1000, 0.9).to_plain()

    def inside(self, model, scorer, knobs, granularity, seed, calibration, row, example, scope) -> dict:
        units = {r["name"]: r["units"] for r in self.exploration(model, scorer, knobs, granularity, 0, 0)["rows"]}[row]
        random = np.random.default_rng(example)
        if granularity == "weight":
            return {
                "all": units,
                "ranks": np.arange(units).reshape(-1, 9),
                "matrix": random.normal(size=(units // 9, 9)),
                "shape": [units // 9, 9],
            }
        images = {"filters": random.normal(size=(units, 3, 3)), "maps": random.normal(size=(units, 8, 8))}
        told = {"input": np.zeros((28, 28)), "target": 6, "answer": 0}
        return {"all": units, "ranks": np.arange(units)} | images | told

    def known(self, name, *args):
        """What was answered before."""
        question = (name.split(":")[1], pickle.dumps(args))
        return pickle.loads(pickle.dumps(self.answered[question])) if question in self.answered else None

    def agreement(self, model, question_a, cut_a, question_b, cut_b) -> list[dict]:
        rows = self.exploration(model, *question_b)["rows"]
        counts = {"only_a": 1, "only_b": 2, "neither": 3}
        return [
            {"name": row["name"], "layer": row["layer"], "rank_correlation": 0.9 - 0.1 * i, "both": row["units"] - 6}
            | counts
            for i, row in enumerate(rows)
        ]

    def costs(self, single: bool) -> Costs:
        count = len(self.names)
        index = np.arange(count)
        if single:  # zeros stay in place: parameters and bytes are constant
            size = np.array([self.weights_of(i) for i in range(count)])
            constant = np.array([size.sum(), 0, 0, 4 * size.sum()], dtype=float)
            each = np.tile([0.0, 1.0, 64.0, 0.0], (count, 1))
            return Costs(
                np.eye(count), np.zeros(count), index, np.full(count, -1), each, index, constant, tuple(self.names)
            )
        growth = np.vstack([np.eye(count), np.zeros(count)])  # the last axis is the one input channel
        fixed = np.append(np.zeros(count), 1.0)
        first = np.append(count, index[:-1])
        each = np.tile([9.0, 9.0, 576.0, 36.0], (count, 1))
        return Costs(growth, fixed, first, index, each, index, np.zeros(4), tuple(self.names))

    def preview(self, model, scorer, knobs, granularity, seed, calibration, cut: dict, recalibrate=False) -> dict:
        value = 0.9 - (0.4 if recalibrate else 0.8) * Cut.from_plain(cut).sparsity ** 2
        base = {"baseline": 0.9, "baseline_low": 0.88, "baseline_high": 0.92, "sparsity": 0.0, "floor": []}
        return {"metric": "accuracy", "value": value, "low": value - 0.02, "high": value + 0.02, "n": 1000} | base


def histogram(values: np.ndarray) -> dict:
    """Counts of values in 96 bins from the lowest to the highest."""
    counts, edges = np.histogram(values, bins=BINS)
    return {"low": float(edges[0]), "high": float(edges[-1]), "counts": counts}
