"""Work named by string: resolved, called and packed in the process that does it."""

import importlib
import logging

from prunekit.core.errors import PrunekitError
from prunekit.core.language import _
from prunekit.core.packing import pack

LOG = logging.getLogger(__name__)

MODULES = ("prunekit.experiments.answers", "prunekit.experiments.recorder")


def call(name: str, args: tuple) -> bytes:
    """The packed answer of "module:function": {"value": ...}, or {"error": class, "sentence": words}."""
    module, _colon, function = name.partition(":")
    unknown = _("The engine does not know “{name}”.").format(name=name)
    if module not in MODULES or function.startswith("_"):
        return pack({"error": "PrunekitError", "sentence": unknown})
    try:
        found = importlib.import_module(module)
        work = getattr(found, function, None)
        # Only what the module itself offers, not what it imports: a folder of questions says which those are.
        offered = function in found.__all__ if hasattr(found, "__all__") else work and work.__module__ == module
        if not offered:
            return pack({"error": "PrunekitError", "sentence": unknown})
        return pack({"value": work(*args)})
    except PrunekitError as error:
        return pack({"error": type(error).__name__, "sentence": str(error)})
    except Exception:
        LOG.exception("%s failed", name)
        sentence = _("Something unforeseen went wrong in {name}; the engine's log says more.")
        return pack({"error": "PrunekitError", "sentence": sentence.format(name=function)})
