"""Torchvision's classification networks by name, untrained: for their structure, their size and their speed."""

import re
import warnings

import torch
from torch import nn

from prunekit.core.errors import UnknownName
from prunekit.core.language import _
from prunekit.structure.file_size import file_bytes
from prunekit.structure.layers import count_macs

# Networks whose modules depend on the size of the picture, and what they call it.
SIZED = {"vit": lambda side: {"image_size": side}, "maxvit": lambda side: {"input_size": (side, side)}}

# Heads that only training uses; with them the network's answer in train mode is no tensor.
AUXILIARY = ("googlenet", "inception_v3")


def torchvision_net(name="resnet18", classes=1000, input_shape=(3, 224, 224), transform_input=False) -> nn.Module:
    """One of `torchvision.models.list_models(torchvision.models)` with random weights, in train mode.

    classes: outputs; input_shape: (channels, height, width) of one example; transform_input: of GoogLeNet and
    Inception, whose published weights want their input rescaled. They come without their auxiliary heads.
    Raises UnknownName.
    """
    # Imported here: it takes as long as torch itself, and most models do without it.
    import torchvision

    known = torchvision.models.list_models(torchvision.models)
    if name not in known:
        raise UnknownName.of(_("torchvision network"), name, known)
    options = {"num_classes": classes, **_size(name, input_shape)}
    if name in AUXILIARY:
        options |= {"aux_logits": False, "transform_input": transform_input, "init_weights": True}
    wanted = torch.get_default_device()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        try:
            return torchvision.models.get_model(name, weights=None, **options)
        except NotImplementedError:
            # RegNets work their widths out with tensors, which have no numbers on the meta device.
            with torch.device("cpu"):
                return torchvision.models.get_model(name, weights=None, **options).to(wanted)


def _size(name: str, input_shape) -> dict:
    family = name.partition("_")[0]
    return SIZED[family](input_shape[1]) if family in SIZED else {}


def describe() -> list[dict]:
    """Every network as `prunekit.core.torchvision` reads it: from the registry, the weights' meta, and by counting."""
    import torchvision

    return [stated(name) | counted(name) for name in sorted(torchvision.models.list_models(torchvision.models))]


def stated(name: str) -> dict:
    """What torchvision says of a network and its default weights."""
    import torchvision

    weights = torchvision.models.get_model_weights(name).DEFAULT
    meta = weights.meta
    paper, source = re.search(r"`([^`<]+?)\s*<([^>]+)>`", torchvision.models.get_model_builder(name).__doc__).groups()
    return {
        "name": name,
        "published_macs": round(meta["_ops"] * 1e9),
        "input_shape": [3, *weights.transforms().crop_size * 2][:3],
        "paper": " ".join(paper.split()),
        "source": source.replace("http://", "https://"),
        "published": {
            "entry": weights.name,
            "url": weights.url,
            "bytes": round(meta["_file_size"] * 2**20),
            "top1": round(meta["_metrics"]["ImageNet-1K"]["acc@1"] / 100, 5),
            "classes": len(meta["categories"]),
            "licence": meta.get("license", ""),
            "rescaled": name in AUXILIARY,
        },
    }


def counted(name: str) -> dict:
    """What a network costs, counted on the meta device: it takes no memory there, and a forward pass no time."""
    shape = stated(name)["input_shape"]
    with torch.device("meta"):
        model = torchvision_net(name, input_shape=shape).eval()
    model.input_shape = tuple(shape)
    parameters = sum(p.numel() for p in model.parameters())
    return {"parameters": parameters, "macs": count_macs(model), "bytes": file_bytes(model)}
