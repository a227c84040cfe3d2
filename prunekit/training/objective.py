"""What training makes smaller: the loss of the task, and with a teacher how far its answers are (distillation)."""

from dataclasses import dataclass

import torch

from prunekit.core.errors import BadSetting
from prunekit.core.language import _
from prunekit.core.recipe import Training
from prunekit.core.tasks import Task
from prunekit.training.evaluation import quick_copy
from prunekit.training.losses import DISTANCES, LOSSES
from prunekit.training.precision import Precision


@dataclass(frozen=True)
class Objective:
    """(1 - d) * loss + d * distance to the teacher, d being the settings' distillation (Hinton et al., 2015)."""

    task: Task
    settings: Training
    precision: Precision
    teacher: torch.nn.Module | None

    @classmethod
    def of(
        cls, task: Task, settings: Training, precision: Precision, teacher: torch.nn.Module | None = None
    ) -> "Objective":
        """The objective of some settings; the teacher is copied, and left out where nobody asks it.

        Raises BadSetting when the settings ask for a teacher and there is none.
        """
        if not settings.distillation:
            return cls(task, settings, precision, None)
        if teacher is None:
            raise BadSetting(_("Distillation needs a network to learn from: hand it in as the teacher."))
        return cls(task, settings, precision, quick_copy(teacher).requires_grad_(False))

    def __call__(self, inputs: torch.Tensor, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """A scalar. inputs: as the network got them; outputs: what it answered, in float32."""
        share = self.settings.distillation
        loss = LOSSES[self.task.loss](outputs, targets, self.settings.label_smoothing)
        if self.teacher is None:
            return loss
        with torch.no_grad(), self.precision.autocast():
            answers = self.teacher(inputs)
        distance = DISTANCES[self.task.loss](outputs, answers.float(), self.settings.temperature)
        return (1 - share) * loss + share * distance
