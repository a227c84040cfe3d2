"""Scorers that look at the weights alone."""

from dataclasses import dataclass

import torch
from torch import nn

from prunekit.core.errors import CannotScore
from prunekit.core.fingerprint import fingerprint
from prunekit.core.language import N_, _
from prunekit.core.settings import setting
from prunekit.scoring.base import Coupled, Scorer, reduced_by
from prunekit.scoring.observation import Observation, per_unit, positive, shares
from prunekit.structure.axes import tensor_at
from prunekit.structure.groups import Group
from prunekit.structure.parts import Parts


@dataclass(frozen=True)
class Magnitude(Coupled):
    """|w|; of a unit, the p-norm of its own weights, summed over the layers that make it."""

    name = "magnitude"
    label = N_("Magnitude")
    formula = "|w|;  ‖w‖ₚ"
    help = N_(
        "Small weights matter little. A channel counts as much as the norm of the weights that make it, "
        "added up over the layers that make it together. For single weights both norms are the same."
    )
    source = "Han et al. 2015, arXiv:1506.02626; Li et al. 2017, arXiv:1608.08710"

    p: float = setting(
        1,
        N_("Norm"),
        N_(
            "How the weights of a channel, kernel, row or tile are added up: L1 adds their sizes, L2 their squares and "
            "takes the root, and so on. The higher, the more the largest weights count; below 1, the more how many "
            "there are."
        ),
        choices=(1, 2, 0.5, 3, 4, 8),
        labels=("L1", "L2", "L0.5", "L3", "L4", "L8"),
        only=("kernel", "row", "tile", "channel"),
    )

    def of_weights(self, seen: Observation, name: str) -> torch.Tensor:
        return seen.weights[name].abs()

    def of_parts(self, seen: Observation, name: str, parts: Parts) -> torch.Tensor:
        return self._root(parts.gathered(self._powers(seen, name)).sum(-1))

    def of_members(self, seen: Observation, group: Group) -> torch.Tensor:
        return self._root(seen.unit_sums(group.producers, lambda name: self._powers(seen, name)))

    def _powers(self, seen: Observation, name: str) -> torch.Tensor:
        sizes = seen.weights[name].abs()
        # High powers of small weights are out of reach of single precision.
        return (sizes.double() if self.p > 2 else sizes) ** self.p

    def _root(self, sums: torch.Tensor) -> torch.Tensor:
        return (sums ** (1 / self.p)).float()


@dataclass(frozen=True)
class Share(Coupled):
    """|w| over the sum of all |w| of the layer; of a unit, the share that its own weights have of it, added up over
    the layers that make it.
    """

    name = "share"
    label = N_("Share of the layer")
    formula = "|wᵢ| / Σⱼ|wⱼ|"
    help = N_(
        "Magnitude as a share of its layer. Within a layer the order is that of magnitude; across layers of different "
        "scale the shares can be compared, but each of many weights has a smaller one than each of few."
    )
    source = "compare the layer-wise normalisation of Molchanov et al. 2017, arXiv:1611.06440"

    def of_weights(self, seen: Observation, name: str) -> torch.Tensor:
        sizes = seen.weights[name].abs()
        return sizes / positive(sizes.sum())

    def of_members(self, seen: Observation, group: Group) -> torch.Tensor:
        return shares(seen.unit_sums(group.producers, lambda name: seen.weights[name].abs()))


@dataclass(frozen=True)
class Lamp(Coupled):
    """w² over the sum of the squares of all weights of the layer that are at least as large; of units, the same with
    their squared norms. What would be the whole of what is left of its layer scores 1, so no layer vanishes early.
    """

    name = "lamp"
    label = "LAMP"
    formula = "wᵤ² / Σ wᵥ²,  |wᵥ| ≥ |wᵤ|"
    help = N_(
        "Magnitude measured against what would be left of the layer: the square of a weight over those of all in its "
        "layer that are at least as large. Ranked together, the scores share the sparsity out over the layers by "
        "themselves. Within a layer the order is that of magnitude."
    )
    source = "Lee et al. 2021, arXiv:2010.07611"

    def of_weights(self, seen: Observation, name: str) -> torch.Tensor:
        weight = seen.weights[name]
        return _over_the_rest(weight.square().flatten()).reshape(weight.shape)

    def of_parts(self, seen: Observation, name: str, parts: Parts) -> torch.Tensor:
        squares = parts.gathered(seen.weights[name].square()).sum(-1)
        return _over_the_rest(squares.flatten()).reshape(squares.shape)

    def of_members(self, seen: Observation, group: Group) -> torch.Tensor:
        return seen.unit_sums(group.producers, lambda name: seen.weights[name].square())

    def finished(self, members: torch.Tensor) -> torch.Tensor:
        return _over_the_rest(members)


@dataclass(frozen=True)
class GeometricMedian(Coupled):
    """The sum of a unit's distances to all units of its layer: small near their geometric median, where the others
    can stand in for it. Added up over the layers that make it.
    """

    name = "geometric_median"
    label = N_("Distance to the others")
    formula = "Σⱼ ‖wᵢ − wⱼ‖₂"
    help = N_(
        "A channel whose weights lie in the middle of those of its layer can be replaced by the others, however large "
        "it is. Known as FPGM, filter pruning via geometric median. The distances of layers with many or large "
        "weights are longer, so take the same share of each layer: scope “per layer”."
    )
    source = "He et al. 2019, arXiv:1811.00250"
    granularities = ("channel",)

    def of_weights(self, seen: Observation, name: str) -> torch.Tensor:
        raise NotImplementedError("a single weight has no distance to others that says more than its value")

    def of_members(self, seen: Observation, group: Group) -> torch.Tensor:
        slices = (seen.unit_slices(member) for member in seen.weighted(group.producers))
        return torch.stack([_distances(s).sum(1).float() for s in slices])


@dataclass(frozen=True)
class Deviation(Coupled):
    """The standard deviation of a unit's own weights, added up over the layers that make it."""

    name = "deviation"
    label = N_("Standard deviation")
    formula = "σ(w)"
    help = N_(
        "A channel whose weights are all alike only adds up what comes in; one whose weights differ tells patterns "
        "apart. For large filters with mean near zero the order is close to that of the L2 norm. Like a norm, it "
        "compares badly across layers: scope “per layer” takes the same share of each."
    )
    source = "compare Huang et al. 2021, arXiv:2004.14492"
    granularities = ("channel",)

    def of_weights(self, seen: Observation, name: str) -> torch.Tensor:
        raise NotImplementedError("a single weight has no deviation")

    def of_members(self, seen: Observation, group: Group) -> torch.Tensor:
        slices = (seen.unit_slices(member) for member in seen.weighted(group.producers))
        return torch.stack([s.std(dim=1, correction=0) for s in slices])


@dataclass(frozen=True)
class SynapticFlow(Coupled):
    """|w| ∂R/∂|w| as a share of R: what passes through a weight, or through all that read a unit, when all weights are
    positive and all inputs are one.
    """

    name = "synflow"
    label = "SynFlow"
    formula = "|w| · ∂R/∂|w| / R,  R = 1ᵀ ∏ |Wₗ| 1"
    help = N_(
        "How much of what flows through the net goes through the weight or channel, counting all paths and no data. "
        "What enters a channel also leaves it, so a layer with few channels keeps them longer. The authors prune in "
        "many small rounds. Only for networks that pass everything on in proportion, as with ReLU and batch norm."
    )
    source = "Tanaka et al. 2020, arXiv:2006.05467"

    def of_weights(self, seen: Observation, name: str) -> torch.Tensor:
        return seen.flow[name]

    def of_members(self, seen: Observation, group: Group) -> torch.Tensor:
        return seen.unit_sums(seen.readers_or_makers(group), lambda name: seen.flow[name])


@dataclass(frozen=True)
class BatchNormScale(Coupled):
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

    reduction: str = reduced_by("mean")

    def of_weights(self, seen: Observation, name: str) -> torch.Tensor:
        raise NotImplementedError("batch norm has no scale for single weights")

    def of_members(self, seen: Observation, group: Group) -> torch.Tensor:
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
        return torch.stack(scales)


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

    def of_parts(self, seen: Observation, name: str, parts: Parts) -> torch.Tensor:
        return self._draw(seen.seed, name, parts.shape)

    def of_units(self, seen: Observation, group: Group) -> torch.Tensor:
        return self._draw(seen.seed, group.name, (group.units,))

    def _draw(self, seed: int, name: str, shape) -> torch.Tensor:
        # A generator of its own for each entry: the lots do not depend on which other layers there are.
        generator = torch.Generator().manual_seed(int(fingerprint([seed, name], 15), 16))
        return torch.rand(shape, generator=generator)


def _distances(rows: torch.Tensor) -> torch.Tensor:
    """The distances of all rows from each other, shape (rows, rows), in double precision."""
    # By a matrix product, or 4,096 rows of 25,088 weights take minutes; what that loses in rounding is what all rows
    # have in common, and in single precision it would be all there is between nearly equal ones.
    rows = rows.double()
    rows -= rows.mean(0)
    products = rows @ rows.T
    squares = products.diagonal()
    return (squares[:, None] + squares - 2 * products).clamp_min_(0).sqrt_()


def _over_the_rest(squares: torch.Tensor) -> torch.Tensor:
    """Each of some squares over the sum of itself and all that come behind it in rising order, along the last axis."""
    rising, order = squares.sort(stable=True)
    rest = rising.flip(-1).cumsum(-1).flip(-1)
    return torch.empty_like(rising).scatter_(-1, order, rising / positive(rest))
