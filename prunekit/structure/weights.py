"""Which tensors a weight mask may touch."""

from torch import nn

from prunekit.structure.layers import is_weighted


def weight_names(model: nn.Module, include_last: bool = True) -> dict[str, str]:
    """Parameter name -> layer name of every weight tensor that single weights can be pruned from.

    These are the weights of convolutions and linear layers, in the order in which the model registers them; a tensor
    that two layers share counts once. `include_last=False` leaves out the last one, usually the classifier.
    """
    owners = {f"{name}.weight".lstrip("."): name for name, module in model.named_modules() if is_weighted(module)}
    names = {name: owners[name] for name, _parameter in model.named_parameters() if name in owners}
    if not include_last and names:
        names.popitem()
    return names
