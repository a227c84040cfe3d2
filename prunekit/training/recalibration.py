"""Batch norm measured anew: its means and variances are those of the untouched network until somebody looks again."""

import copy
from collections.abc import Iterable

import torch
from torch import nn


def recalibrated(model: nn.Module, batches: Iterable[tuple[torch.Tensor, torch.Tensor]]) -> nn.Module:
    """A copy in eval mode whose batch norm has the means and variances of these batches of (inputs, targets).

    No weight is learnt: the network runs over the inputs with nothing but its batch norm in training mode, and each
    batch counts alike. Batches of one example may be too few for a variance. Li et al., 2020 (EagleEye,
    arXiv:2007.02491) judge pruned networks so before fine-tuning.
    """
    twin = copy.deepcopy(model).eval()
    norms = [m for m in twin.modules() if _keeps_statistics(m)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over all batches
        norm.train()
    with torch.no_grad():
        for inputs, _targets in batches if norms else ():
            twin(inputs)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    return twin.eval()


def _keeps_statistics(module: nn.Module) -> bool:
    return isinstance(module, nn.modules.batchnorm._BatchNorm) and module.running_mean is not None
