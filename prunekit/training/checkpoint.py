"""What a training needs to go on from where it was: a plain mapping, and its bytes without pickle.

A checkpoint is `{"epoch": finished epochs, "epochs": planned ones, "precision": name, "channels_last": bool,
"tensors": {"model/<name>": ..., "optimizer/<parameter>/<key>": ...}}`. It holds no random state: order, augmentation
and dropout of an epoch follow from the seed and the epoch's number.
"""

import json

import torch
from safetensors import SafetensorError
from safetensors.torch import load as tensors_from_bytes
from safetensors.torch import save as tensors_to_bytes

from prunekit.core.errors import CorruptFile
from prunekit.core.language import _


def checkpoint(model: torch.nn.Module, optimizer: torch.optim.Optimizer, epoch: int, epochs: int, precision) -> dict:
    """A copy of everything that the next epoch depends on."""
    tensors = {f"model/{name}": copied(tensor) for name, tensor in model.state_dict().items()}
    for name, parameter in model.named_parameters():
        for key, value in optimizer.state.get(parameter, {}).items():
            if isinstance(value, torch.Tensor):
                tensors[f"optimizer/{name}/{key}"] = copied(value)
    return {
        "epoch": epoch,
        "epochs": epochs,
        "precision": precision.name,
        "channels_last": precision.channels_last,
        "tensors": tensors,
    }


def restore(state: dict, model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Puts a checkpoint into a model and its optimizer. Raises CorruptFile when they do not belong together."""
    tensors = state["tensors"]
    prefix = "model/"
    try:
        model.load_state_dict({n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)})
    except RuntimeError as error:
        raise CorruptFile(
            _("The checkpoint belongs to another network; start the run again from its recipe.")
        ) from error
    for name, parameter in model.named_parameters():
        start = f"optimizer/{name}/"
        # Filled into tensors laid out like the parameter: another layout could round the last bit differently.
        kept = {
            key.removeprefix(start): torch.empty_like(parameter).copy_(value) if value.dim() else value.clone()
            for key, value in tensors.items()
            if key.startswith(start)
        }
        if kept:
            optimizer.state[parameter] = {key: value.detach() for key, value in kept.items()}


def to_bytes(state: dict) -> bytes:
    """A checkpoint as safetensors, its numbers in the header."""
    numbers = {key: value for key, value in state.items() if key != "tensors"}
    return tensors_to_bytes(state["tensors"], metadata={"checkpoint": json.dumps(numbers)})


def from_bytes(data: bytes) -> dict:
    """The checkpoint that `to_bytes` was given. Raises CorruptFile for anything else."""
    try:
        length = int.from_bytes(data[:8], "little")
        numbers = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["checkpoint"])
        return {**numbers, "tensors": tensors_from_bytes(data)}
    except (ValueError, KeyError, TypeError, SafetensorError) as error:
        raise CorruptFile(_("A checkpoint cannot be read; start the run again from its recipe.")) from error


def copied(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor of its own, in the usual layout and without its past."""
    return tensor.detach().clone(memory_format=torch.contiguous_format)
