"""Scorers that look at the weights alone."""

from dataclasses import dataclass

import torch
from torch import nn

from prunekit.core.errors import CannotScore
from prunekit.core.fingerprint import fingerprint
from prunekit.core.language import N_, _
from prunekit.core.settings import setting
from prunekit.scoring.base import Scorer
from prunekit.scoring.observation import Observation, per_unit
from prunekit.structure.axes import tensor_at
from prunekit.structure.groups import Group


@dataclass(frozen=True)
class Magnitude(Scorer):
    """|w|; of a unit, the p-norm of its own weights, summed over the layers that make it."""

    name = "magnitude"
    label = N_("Magnitude")
    formula = "|w|;  ‖w‖ₚ"
    help = N_(
        "Small weights matter little. A channel counts as much as the norm of the weights that make it, "
        "added up over the layers that make it together. For single weights both norms are the same."
    )
    source = "Han et al. 2015, arXiv:1506.02626; Li et al. 2017, arXiv:1608.08710"

    p: int = setting(
        1,
        N_("Norm"),
        N_("How the weights of a channel are added up: 1 adds their sizes, 2 their squares and takes the root."),
        choices=(1, 2),
        labels=("L1", "L2"),
    )

    def of_weights(self, seen: Observation, name: str) -> torch.Tensor:
        return seen.weights[name].abs()

    def of_units(self, seen: Observation, group: Group) -> torch.Tensor:
        sums = seen.unit_sums(group.producers, lambda name: seen.weights[name].abs() ** self.p)
        return (sums ** (1 / self.p)).sum(0)


@dataclass(frozen=True)
class BatchNormScale(Scorer):
    """|γ| of the batch norm behind a unit; their mean, where there are several."""

    name = "bn_scale"
    label = N_("Batch-norm scale")
    formula = "|γ|"
    help = N_(
        "A channel that batch norm scales down matters little to what follows. Only for networks with batch norm "
        "behind every layer that is pruned."
    )
    source = "Liu et al. 2017, arXiv:1708.06519"
    granularities = ("channel",)

    def of_weights(self, seen: Observation, name: str) -> torch.Tensor:
        raise NotImplementedError("batch norm has no scale for single weights")

    def of_units(self, seen: Observation, group: Group) -> torch.Tensor:
        modules = dict(seen.model.named_modules())
        scales = []
        for member in group.producers:
            module = modules.get(member.layer)
            if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.affine:
                scale = tensor_at(seen.model, f"{member.layer}.weight").detach().float()
                scales.append(per_unit(scale.abs(), member).mean(1))
        if not scales:
            sentence = _(
                "{layer} has no batch norm behind it, so its channels have no scale; choose another criterion."
            )
            raise CannotScore(sentence.format(layer=group.name))
        return torch.stack(scales).mean(0)


@dataclass(frozen=True)
class Random(Scorer):
    """Uniform in [0, 1), the same for the same seed, name and shape: what any criterion has to beat."""

    name = "random"
    label = N_("Random")
    formula = "u ~ U[0, 1)"
    help = N_("Scores drawn by lot. The control that every criterion has to beat; another seed draws other lots.")
    source = "Blalock et al. 2020, arXiv:2003.03033"

    def of_weights(self, seen: Observation, name: str) -> torch.Tensor:
        return self._draw(seen.seed, name, seen.weights[name].shape)

    def of_units(self, seen: Observation, group: Group) -> torch.Tensor:
        return self._draw(seen.seed, group.name, (group.units,))

    def _draw(self, seed: int, name: str, shape) -> torch.Tensor:
        # A generator of its own for each entry: the lots do not depend on which other layers there are.
        generator = torch.Generator().manual_seed(int(fingerprint([seed, name], 15), 16))
        return torch.rand(shape, generator=generator)
