"""A copy that is safe to run and to cut up: modules of its own over the same tensors, without hooks."""

import copy

from torch import nn
from torch.nn.utils import parametrize
from torch.nn.utils.prune import BasePruningMethod

from prunekit.core.errors import CannotPrune
from prunekit.core.language import _


def tracing_copy(model: nn.Module) -> nn.Module:
    """The model's modules again, in eval mode and without its hooks, over the same memory.

    Parameters are new objects that share storage with the given ones and always require gradients, so that frozen
    networks can be traced too; buffers are cloned, because a forward pass may write to them. Replacing a tensor of
    the copy leaves the given model as it is; writing into a parameter of the copy would not. Raises CannotPrune.
    """
    check_plain(model)
    memo = {id(p): _traceable(p) for p in model.parameters()}
    memo |= {id(b): b.detach().clone() for b in model.buffers()}
    try:
        twin = copy.deepcopy(model, memo)
    except Exception as error:  # whatever a stranger's modules hold
        raise CannotPrune(_("The network cannot be copied: {reason}").format(reason=first_line(error))) from error
    for module in twin.modules():
        for hooks in (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks):
            hooks.clear()
        module._backward_pre_hooks.clear()
    return twin.eval()


def _traceable(parameter: nn.Parameter) -> nn.Parameter:
    data = parameter.detach()
    data = data.clone() if data.is_inference() else data  # one made in inference mode can never require gradients
    return nn.Parameter(data, data.is_floating_point() or data.is_complex())


def check_plain(model: nn.Module) -> None:
    """Raises CannotPrune for networks whose weights are computed anew in each forward pass, with the way out."""
    for name, module in model.named_modules():
        if any(isinstance(hook, BasePruningMethod) for hook in module._forward_pre_hooks.values()):
            raise CannotPrune(
                _("{layer} is under torch.nn.utils.prune; make it permanent first with prune.remove.").format(
                    layer=name
                )
            )
        if parametrize.is_parametrized(module):
            raise CannotPrune(
                _("{layer} is parametrized; call torch.nn.utils.parametrize.remove_parametrizations first.").format(
                    layer=name
                )
            )


def first_line(error: BaseException, length: int = 160) -> str:
    """What an error says, in one short line that can end a sentence."""
    lines = str(error).strip().splitlines()
    text = lines[0] if lines else type(error).__name__
    return text if len(text) <= length else text[: length - 1] + "…"
