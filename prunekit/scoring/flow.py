"""Synaptic flow: what passes through each weight when all are positive and all inputs are equal, without any data."""

import torch
from torch import nn
from torch.utils._pytree import tree_leaves, tree_map

from prunekit.core.errors import CannotScore
from prunekit.core.language import _
from prunekit.structure.inputs import forward

SHIFTS = ("bias", "running_mean")
# Of all inputs. Shares do not depend on it, and this close to zero ReLU6 and tanh let everything through too.
LITTLE = 1e-100
TOLERANCE = 1e-6


def synaptic_flow(model: nn.Module, names: list[str], example_inputs) -> dict[str, torch.Tensor]:
    """For each named weight tensor |w| ∂R/∂|w| / R, float32: its share of R, the sum of the outputs.

    R is computed with the absolute values of all weights and without biases and running means, so that it is a sum of
    products along all paths (Tanaka et al., 2020): the shares of a layer that each path goes through once add up to 1.
    model: in eval mode, left as it is; example_inputs: of which the shapes are taken.

    Raises CannotScore for a network that is no such sum: whose outputs do not grow with its inputs (a softmax at the
    end, an added position), or that subtracts (a layer norm).
    """
    # Double precision: the products along the paths of a deep network leave the range of single precision.
    positive = {name: _without_shift(name, p).abs() for name, p in model.named_parameters() if p.is_floating_point()}
    positive |= {name: _without_shift(name, b) for name, b in model.named_buffers() if b.is_floating_point()}
    asked = [positive[name].requires_grad_() for name in names]

    def total(each: float) -> torch.Tensor:
        given = tree_map(lambda value: _filled(value, each), example_inputs)
        outputs = forward(lambda *a, **k: torch.func.functional_call(model, positive, a, k), given)
        return sum(leaf.sum() for leaf in tree_leaves(outputs) if isinstance(leaf, torch.Tensor))

    with torch.enable_grad():
        whole = total(LITTLE)
        found = torch.autograd.grad(whole, asked, allow_unused=True)
    with torch.no_grad():
        in_proportion = whole > 0 and abs(total(2 * LITTLE) / whole - 2) < TOLERANCE
        flows = (w * (0 if g is None else g / whole) for w, g in zip(asked, found, strict=True))
        shares = {name: flow.float() for name, flow in zip(names, flows, strict=True)}
        if not in_proportion or any(share.min() < -TOLERANCE for share in shares.values()):
            raise CannotScore(
                _("SynFlow needs a network whose outputs grow in proportion to its inputs; choose another criterion.")
            )
        return {name: share.clamp_min_(0) for name, share in shares.items()}


def _without_shift(name: str, tensor: torch.Tensor) -> torch.Tensor:
    values = tensor.detach().double()
    return torch.zeros_like(values) if name.rpartition(".")[2] in SHIFTS else values


def _filled(value, each: float):
    """A tensor of measures with all of them alike; others, such as numbers of words, as they are."""
    if isinstance(value, torch.Tensor) and value.is_floating_point():
        return torch.full_like(value, each, dtype=torch.float64)
    return value
