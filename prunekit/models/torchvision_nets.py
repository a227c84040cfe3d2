"""Torchvision's classification networks by name, untrained: for their structure, their size and their speed."""

from torch import nn

from prunekit.core.errors import UnknownName
from prunekit.core.language import _


def torchvision_net(name="resnet18", classes=1000, input_shape=(3, 224, 224)) -> nn.Module:
    """One of `torchvision.models.list_models(torchvision.models)` with random weights, in train mode.

    classes: outputs; input_shape: (channels, height, width) of one example, for whoever asks the model for it.
    Raises UnknownName.
    """
    # Imported here: it takes as long as torch itself, and most models do without it.
    import torchvision

    known = torchvision.models.list_models(torchvision.models)
    if name not in known:
        raise UnknownName.of(_("torchvision network"), name, known)
    return torchvision.models.get_model(name, weights=None, num_classes=classes)
