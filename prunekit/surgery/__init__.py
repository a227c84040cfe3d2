"""Act on a model, always returning a new one: masking and removal."""

from prunekit.surgery.masking import masked_copy
from prunekit.surgery.plan import kept_units
from prunekit.surgery.removal import remove_channels

__all__ = ["kept_units", "masked_copy", "remove_channels"]
