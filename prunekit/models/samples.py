"""The trained sample models that come with prunekit."""

import hashlib

from torch import nn

from prunekit.core.cards import model_card, model_cards
from prunekit.core.errors import CorruptFile, PrunekitError
from prunekit.core.language import _
from prunekit.models.tensors import Misfit, network


def list_models() -> list[str]:
    """The names that `load_model` takes, in alphabetical order."""
    return sorted(model_cards())


def load_model(name: str) -> nn.Module:
    """A trained sample model in eval mode, a new one at each call.

    Raises UnknownName with the names that would do, and CorruptFile when the weights are not those of the card.
    """
    card = model_card(name)
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
