"""Save a network as safetensors plus a JSON plan, and build it again from them, bit for bit: never a pickle."""

import hashlib
import json
import os
import platform
from pathlib import Path

import safetensors
import torch
from safetensors.torch import save as tensors_to_bytes
from torch import nn

from prunekit.core.disk import is_full, no_room, write_whole
from prunekit.core.errors import BadSetting, CorruptFile, PrunekitError
from prunekit.core.language import _
from prunekit.models.tensors import Misfit, network

WEIGHTS, PLAN = "weights.safetensors", "plan.json"
FORMAT = 1
PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".bin")


def save(
    model: nn.Module,
    folder: str | os.PathLike,
    provenance: dict | None = None,
    kept: dict[str, list[int]] | None = None,
) -> Path:
    """Writes `weights.safetensors` and `plan.json` into `folder` (made where missing) and returns it.

    See `saved_files`. Each file appears whole or not at all. Raises PrunekitError where the disk refuses.
    """
    files, folder = saved_files(model, provenance, kept), Path(folder)
    try:
        for name, content in files.items():
            write_whole(folder / name, content)
    except OSError as error:
        raise _refusal(folder, error) from error
    return folder


def saved_files(
    model: nn.Module, provenance: dict | None = None, kept: dict[str, list[int]] | None = None
) -> dict[str, bytes]:
    """What `save` writes: the content of each file by its name, the weights first.

    model: a network with a `blueprint` (sample models and everything pruned from them have one); provenance: plain
    values that say where it comes from, such as its recipe; kept: for each channel group the positions of the units
    that stayed. Raises BadSetting for a model that could not be built again.
    """
    # Copied one by one: safetensors refuses tensors that share memory, and wants them in the usual layout.
    tensors = {
        name: tensor.detach().clone(memory_format=torch.contiguous_format)
        for name, tensor in model.state_dict().items()
    }
    data = tensors_to_bytes(tensors)
    plan = {
        "format": FORMAT,
        "blueprint": _blueprint(model),
        "shapes": {name: list(tensor.shape) for name, tensor in tensors.items()},
        # The one size of a layer that its tensors do not tell.
        "groups": {name: m.groups for name, m in model.named_modules() if getattr(m, "groups", 1) != 1},
        "kept": {name: [int(i) for i in units] for name, units in (kept or {}).items()},
        "provenance": provenance or {},
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "safetensors": safetensors.__version__,
        },
        "checksum": hashlib.sha256(data).hexdigest(),
    }
    try:
        text = json.dumps(plan, indent=1, allow_nan=False)
        network(plan["blueprint"], data, plan["groups"])
    except (Misfit, PrunekitError, TypeError, ValueError) as error:
        sentence = _("This network cannot be built again from its blueprint ({reason}); correct model.blueprint.")
        raise BadSetting(sentence.format(reason=str(error).rstrip("."))) from error
    return {WEIGHTS: data, PLAN: text.encode()}


def load(folder: str | os.PathLike) -> nn.Module:
    """The network that `save` wrote, in eval mode: its outputs are exactly those of the saved one.

    Raises CorruptFile when the files are missing, damaged, do not belong together or are pickles.
    """
    folder = Path(folder)
    plan = read_plan(folder)
    damaged = CorruptFile(_("The network in {folder} is damaged; save or export it again.").format(folder=folder))
    try:
        data = (folder / WEIGHTS).read_bytes()
    except OSError as error:
        raise damaged from error
    if hashlib.sha256(data).hexdigest() != plan["checksum"]:
        raise damaged
    try:
        model = network(plan["blueprint"], data, plan["groups"])
        if {name: list(tensor.shape) for name, tensor in model.state_dict().items()} != plan["shapes"]:
            raise Misfit("other shapes than planned")
        # Sizes that contradict each other show when the network is used; better here than later.
        with torch.inference_mode():
            model(torch.zeros(1, *model.input_shape))
    except (Misfit, PrunekitError, RuntimeError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise damaged from error
    return model


def read_plan(folder: str | os.PathLike) -> dict:
    """The plan of a saved network as plain values. Raises CorruptFile."""
    folder = Path(folder)
    _refuse_pickles(folder)
    try:
        plan = json.loads((folder / PLAN).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        sentence = _("There is no saved network in {folder}; choose a folder that holds {weights} and {plan}.")
        raise CorruptFile(sentence.format(folder=folder, weights=WEIGHTS, plan=PLAN)) from error
    except (OSError, ValueError) as error:
        raise CorruptFile(
            _("The plan {path} cannot be read; save or export the network again.").format(path=folder / PLAN)
        ) from error
    kinds = {"format": int, "blueprint": dict, "shapes": dict, "groups": dict, "checksum": str}
    if not isinstance(plan, dict) or not all(isinstance(plan.get(key), kind) for key, kind in kinds.items()):
        raise CorruptFile(
            _("The plan {path} is incomplete; save or export the network again.").format(path=folder / PLAN)
        )
    if plan["format"] > FORMAT:
        raise CorruptFile(_("The plan {path} is from a newer prunekit; update this one.").format(path=folder / PLAN))
    return plan


def _blueprint(model: nn.Module) -> dict:
    blueprint = getattr(model, "blueprint", None)
    if not isinstance(blueprint, dict):
        sentence = _(
            "This network does not say how to build it again; make it with prunekit.models.build, or set "
            "model.blueprint to its architecture, arguments and input shape."
        )
        raise BadSetting(sentence)
    return blueprint


def _refuse_pickles(path: Path) -> None:
    """A pickle can run any program when it is opened, so none ever is."""
    held = [path] if path.is_file() else sorted(path.glob("*")) if path.is_dir() else [path]
    pickled = [p for p in held if p.suffix.lower() in PICKLES]
    if pickled and not (path / PLAN).is_file():
        sentence = _("{path} is a pickle, which could run any program when opened; save the weights as safetensors.")
        raise CorruptFile(sentence.format(path=pickled[0]))


def _refusal(folder: Path, error: OSError) -> PrunekitError:
    if is_full(error):
        return PrunekitError(no_room(folder))
    sentence = _("Nothing can be written to {folder} ({reason}); choose another folder.")
    return PrunekitError(sentence.format(folder=folder, reason=error.strerror or error))
