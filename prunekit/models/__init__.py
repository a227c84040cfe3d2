"""Sample architectures, trained sample models, and files that people can trust: safetensors and JSON, no pickle."""

from prunekit.models.architectures import ARCHITECTURES, build
from prunekit.models.files import load, save, saved_files
from prunekit.models.samples import list_models, load_model

__all__ = ["ARCHITECTURES", "build", "list_models", "load", "load_model", "save", "saved_files"]
