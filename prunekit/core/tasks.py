"""What a model is asked to do, and the metric that says how well: "accuracy" is never hard-wired."""

from dataclasses import dataclass

from prunekit.core.language import N_


@dataclass(frozen=True)
class Task:
    """A kind of task. `metric` and `loss` name entries of `prunekit.training.metrics` and `.losses`."""

    name: str
    metric: str
    metric_label: str
    loss: str
    percent: bool  # the metric is a fraction and is shown as a percentage


CLASSIFICATION = Task("classification", "accuracy", N_("Accuracy"), "cross_entropy", percent=True)
REGRESSION = Task("regression", "r2", N_("R²"), "mean_squared_error", percent=False)

TASKS = {t.name: t for t in (CLASSIFICATION, REGRESSION)}
