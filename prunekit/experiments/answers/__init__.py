"""The questions that pages ask of a model: what it is made of, how its scores lie, what a cut would cost it.

Each function takes the id of a model first and returns plain values and arrays; it runs in a worker of the engine.
"""

from prunekit.experiments.answers.exploring import agreement, exploration, preview, refusal
from prunekit.experiments.answers.layer import inside
from prunekit.experiments.answers.scan import sensitivity
from prunekit.experiments.answers.structure import summary
from prunekit.experiments.answers.timing import bounds_latency, measured_latency, training_pace

__all__ = [
    "agreement",
    "bounds_latency",
    "exploration",
    "inside",
    "measured_latency",
    "preview",
    "refusal",
    "sensitivity",
    "summary",
    "training_pace",
]
