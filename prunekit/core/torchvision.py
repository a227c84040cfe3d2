"""Torchvision's classification networks as they are listed: read from JSON, so that the server needs no torch.

The file is written by `make shipped` from torchvision's own registry; a test fails when it is stale.
"""

import difflib
import functools
import importlib.metadata
import json
import os
from dataclasses import dataclass
from pathlib import Path

from prunekit.core.errors import UnknownName
from prunekit.core.language import _

FILE = Path(__file__).with_name("torchvision.json")
_PREFIX, _PUBLISHED = "torchvision/", "/published"  # torchvision/resnet18, torchvision/resnet18/published
SEED = 0  # of untrained weights: the same each time


@dataclass(frozen=True)
class PublishedWeights:
    """Torchvision's default weights of a network.

    entry: their name in the network's enum; url: ends in a file name with the first digits of its SHA-256; bytes: of
    that file, about; top1: accuracy on ImageNet-1K's validation set, in [0, 1]; licence: "" where none is stated;
    rescaled: whether they expect the network to rescale its input (`transform_input`).
    """

    entry: str
    url: str
    bytes: int
    top1: float
    classes: int
    licence: str
    rescaled: bool

    @property
    def file(self) -> str:
        return self.url.rpartition("/")[2]

    @property
    def path(self) -> Path:
        """Where the file lies or will lie: in torch's own folder, so that what was fetched before is found."""
        cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
        home = os.environ.get("TORCH_HOME", os.path.join(cache, "torch"))
        return Path(os.path.expanduser(home)) / "hub" / "checkpoints" / self.file


@dataclass(frozen=True)
class TorchvisionNet:
    """A network of the registry: its counts without auxiliary heads, and where it comes from.

    macs: of one example of input_shape, of convolutions and linear layers (`structure.count_macs`); published_macs:
    what torchvision states, which has the products inside of attention too; paper, source: title and address.
    """

    name: str
    parameters: int
    macs: int
    published_macs: int
    bytes: int
    input_shape: tuple[int, ...]
    paper: str
    source: str
    published: PublishedWeights


def torchvision_id(name: str, published: bool = False) -> str:
    """The id of one of the networks, untrained or with its published weights."""
    return f"{_PREFIX}{name}{_PUBLISHED if published else ''}"


def named_by(model_id) -> tuple[str, bool] | None:
    """The network's name and whether its published weights are meant; None for an id that is not of torchvision's."""
    if not (isinstance(model_id, str) and model_id.startswith(_PREFIX)):
        return None
    name = model_id.removeprefix(_PREFIX)
    return name.removesuffix(_PUBLISHED), name.endswith(_PUBLISHED)


def published_weights(model_id: str) -> PublishedWeights:
    """Where the weights of a network's id come from. Raises UnknownName."""
    name, _published = named_by(model_id) or (model_id, False)
    return torchvision_entry(name).published


@functools.cache
def torchvision_nets() -> dict[str, TorchvisionNet]:
    """All networks by name, in alphabetical order."""
    plain = json.loads(FILE.read_text(encoding="utf-8"))
    return {
        net["name"]: TorchvisionNet(
            **net | {"input_shape": tuple(net["input_shape"]), "published": PublishedWeights(**net["published"])}
        )
        for net in plain
    }


def torchvision_entry(name: str) -> TorchvisionNet:
    """One network. Raises UnknownName with the names that are most like the one asked for."""
    known = torchvision_nets()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=4, cutoff=0.4) or ["resnet18", "mobilenet_v3_small"]
        sentence = _(
            "There is no torchvision network called “{name}”; did you mean {near}? "
            "`python -m prunekit models --torchvision` lists all {n}."
        )
        raise UnknownName(sentence.format(name=name, near=_(" or ").join(near), n=len(known)))
    return known[name]


@functools.cache
def versions() -> dict[str, str]:
    """The versions of torch and torchvision that are installed: random weights follow from them and the seed."""
    found = {}
    for package in ("torch", "torchvision"):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:  # the list and the cards can be read without it
            found[package] = ""
    return found
