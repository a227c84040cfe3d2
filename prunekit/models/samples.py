"""Models by id: the trained ones that come with prunekit, and torchvision's networks."""

import hashlib
import re

from torch import nn

from prunekit.core.cards import ModelCard, model_card, model_cards
from prunekit.core.errors import CorruptFile, PrunekitError
from prunekit.core.language import _
from prunekit.core.torchvision import SEED
from prunekit.models.architectures import build
from prunekit.models.published import Report, tensors_of
from prunekit.models.seeded import SeededDraws
from prunekit.models.tensors import Misfit, network

# As in torchvision.models.densenet: older files have a dot in the middle of some names.
OLD_DENSENET = re.compile(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\.(?:weight|bias|running_mean|running_var))$")
AUXILIARY_HEADS = ("aux1", "aux2", "AuxLogits")


def list_models() -> list[str]:
    """The names of the sample models that `load_model` takes, in alphabetical order.

    It takes `torchvision/<name>` and `torchvision/<name>/published` too: see `prunekit.core.torchvision`.
    """
    return sorted(model_cards())


def load_model(name: str, report: Report | None = None) -> nn.Module:
    """A model in eval mode, a new one at each call.

    Sample models are trained; `torchvision/resnet18` has random weights, the same at each call, and
    `torchvision/resnet18/published` those that torchvision publishes, fetched where they are not there yet (`report`
    is told how far that is). Raises UnknownName with the names that would do, CorruptFile when the weights are not
    those of the card, Unreachable where they cannot be fetched.
    """
    card = model_card(name)
    if card.weights_from == "seed":
        return _drawn(card).eval()
    if card.weights_from == "download":
        return _published(card, report)
    return _shipped(card)


def _shipped(card: ModelCard) -> nn.Module:
    restore = _("The weights {path} are damaged or missing; restore the file from the repository.")
    corrupt = CorruptFile(restore.format(path=card.weights))
    try:
        data = card.weights.read_bytes()
    except OSError as error:
        raise corrupt from error
    if hashlib.sha256(data).hexdigest() != card.checksum:
        raise corrupt
    try:
        return network({"architecture": card.architecture, "arguments": card.arguments}, data)
    except (Misfit, PrunekitError) as error:
        raise corrupt from error


def _drawn(card: ModelCard) -> nn.Module:
    """The network with weights drawn from its card's seed."""
    with SeededDraws(card.training.get("seed", SEED)):
        return build(card.architecture, card.arguments)


def _published(card: ModelCard, report: Report | None) -> nn.Module:
    tensors = tensors_of(card, report)
    model = _drawn(card)
    try:
        model.load_state_dict(_fitting(tensors, model))
    except (RuntimeError, AttributeError, TypeError) as error:
        sentence = _("The published weights {file} do not fit the network; install the torchvision they belong to.")
        raise CorruptFile(sentence.format(file=card.checksum)) from error
    return model.eval()


def _fitting(tensors: dict, model: nn.Module) -> dict:
    """The tensors under the names of today, in place: the mapping carries version numbers that loading looks at."""
    for name in list(tensors):
        first = name.partition(".")[0]
        if first in AUXILIARY_HEADS and getattr(model, first, None) is None:
            del tensors[name]
        elif found := OLD_DENSENET.match(name):
            tensors[found[1] + found[2]] = tensors.pop(name)
    return tensors
