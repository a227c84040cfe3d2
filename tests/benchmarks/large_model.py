"""A VGG-16 of 138 M parameters, with random weights, as a model that the app can open."""

import json
from pathlib import Path

import torch

from prunekit.core.fingerprint import checksum
from prunekit.models import build, save

NAME = "vgg16-random"


def make(folder: Path) -> Path:
    """Writes the model's folder below `folder` (name it in PRUNEKIT_MODELS) and returns `folder`."""
    target = folder / NAME
    arguments = {"name": "vgg16"}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = build("torchvision", arguments).eval()
    save(model, target)
    path = target / "weights.safetensors"
    card = {
        "id": NAME,
        "title": "VGG-16, untrained",
        "summary": "A large network, for measuring.",
        "architecture": "torchvision",
        "arguments": arguments,
        "data": "fashion-mnist",
        "task_name": "classification",
        "input_shape": [3, 224, 224],
        "classes": [],
        "preprocessing": {},
        "training": {},
        "split": {},
        "metrics": {part: {"train": 0.0, "validation": 0.0, "test": 0.0} for part in ("full", "shipped")},
        "parameters": sum(p.numel() for p in model.parameters()),
        "macs": 0,
        "bytes": path.stat().st_size,
        "checksum": checksum(path),
        "licence": {},
    }
    (target / "card.json").write_text(json.dumps(card))
    return folder
