"""The one training loop, and evaluation by the metric that the task names."""

from prunekit.training.evaluation import Evaluation, evaluate, quick_copy
from prunekit.training.loop import train
from prunekit.training.losses import LOSSES
from prunekit.training.metrics import METRICS
from prunekit.training.precision import Precision, probe

__all__ = ["LOSSES", "METRICS", "Evaluation", "Precision", "evaluate", "probe", "quick_copy", "train"]
