"""The architectures by name, and how to build one from plain arguments."""

import inspect

from torch import nn

from prunekit.core.errors import BadSetting, UnknownName
from prunekit.core.language import _
from prunekit.models.lenet import LeNet
from prunekit.models.mlp import MLP
from prunekit.models.resnet import ResNet
from prunekit.models.torchvision_nets import torchvision_net
from prunekit.models.vgg import VGG

ARCHITECTURES = {"lenet": LeNet, "mlp": MLP, "resnet": ResNet, "vgg": VGG, "torchvision": torchvision_net}


def build(architecture: str, arguments: dict | None = None) -> nn.Module:
    """An untrained network whose weights are drawn from torch's random state.

    It carries two plain attributes: `blueprint`, from which it can be built again ({"architecture", "arguments",
    "input_shape"}, JSON-able), and `input_shape`, the shape of one example without the batch.
    Raises UnknownName and BadSetting.
    """
    if architecture not in ARCHITECTURES:
        raise UnknownName.of(_("architecture"), architecture, ARCHITECTURES)
    kind, arguments = ARCHITECTURES[architecture], dict(arguments or {})
    try:
        model = kind(**arguments)
        complete = inspect.signature(kind).bind(**arguments)
        complete.apply_defaults()
    except (TypeError, ValueError, RuntimeError, AttributeError) as error:
        sentence = _("The architecture {architecture} cannot be built from {arguments}: {reason}.")
        raise BadSetting(
            sentence.format(architecture=architecture, arguments=arguments, reason=str(error).rstrip("."))
        ) from error
    plain = {name: _plain(value) for name, value in complete.arguments.items()}
    model.blueprint = {"architecture": architecture, "arguments": plain, "input_shape": plain["input_shape"]}
    model.input_shape = tuple(plain["input_shape"])
    return model


def _plain(value):
    """Tuples as lists, at every depth, so that a blueprint is the same before and after JSON."""
    return [_plain(part) for part in value] if isinstance(value, (tuple, list)) else value
