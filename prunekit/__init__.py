"""Prunekit: see neural-network pruning. The import is fast; torch comes with the first name that needs it."""

import importlib

__version__ = "0.1.0"

_WHERE = {
    "list_models": "prunekit.models",
    "load_model": "prunekit.models",
    "save": "prunekit.models",
    "load": "prunekit.models",
    "load_dataset": "prunekit.data",
    "score": "prunekit.scoring",
    "prune_lowest": "prunekit.selection",
    "prune_below": "prunekit.selection",
    "masked_copy": "prunekit.surgery",
    "remove_channels": "prunekit.surgery",
    "channel_groups": "prunekit.structure",
    "profile": "prunekit.measurement",
    "evaluate": "prunekit.training",
    "Mask": "prunekit.masks",
    "Recipe": "prunekit.core.recipe",
    "execute": "prunekit.pruning",
    "sensitivity": "prunekit.pruning",
}

__all__ = sorted(_WHERE)


def __getattr__(name: str):
    if name not in _WHERE:
        raise AttributeError(f"module “prunekit” has no attribute “{name}”")
    # A package of the same name (prunekit.…) may have been imported first; the public name wins from now on.
    value = getattr(importlib.import_module(_WHERE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
