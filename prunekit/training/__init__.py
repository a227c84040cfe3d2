"""The one training loop, evaluation by the metric that the task names, and batch norm measured anew."""

from prunekit.training.evaluation import Evaluation, evaluate, quick_copy
from prunekit.training.history import WeightHistory
from prunekit.training.loop import train
from prunekit.training.losses import LOSSES
from prunekit.training.metrics import METRICS
from prunekit.training.precision import Precision, probe
from prunekit.training.recalibration import recalibrated

__all__ = [
    "LOSSES",
    "METRICS",
    "Evaluation",
    "Precision",
    "WeightHistory",
    "evaluate",
    "probe",
    "quick_copy",
    "recalibrated",
    "train",
]
