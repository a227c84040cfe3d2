"""The cards of the models that are there, read from JSON without loading a model."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from prunekit.core.data_folder import has_full_set
from prunekit.core.errors import CorruptFile, UnknownName
from prunekit.core.language import _
from prunekit.core.tasks import TASKS, Task

SAMPLES = Path(__file__).resolve().parents[2] / "sample_models"


@dataclass(frozen=True)
class ModelCard:
    """What is known of a sample model; the fields are those of its `card.json`."""

    id: str
    title: str
    summary: str
    architecture: str
    arguments: dict
    data: str
    task_name: str
    input_shape: tuple[int, ...]
    classes: tuple[str, ...]
    preprocessing: dict
    training: dict
    split: dict
    metrics: dict
    parameters: int
    macs: int
    bytes: int
    checksum: str
    licence: dict
    versions: dict = field(default_factory=dict)
    folder: Path = SAMPLES  # where the card lies; not in the card itself

    @property
    def task(self) -> Task:
        return TASKS[self.task_name]

    def identity(self) -> list[str]:
        """What answers about this model depend on: its weights, and whether the full data set is there."""
        return [self.checksum, "full" if has_full_set(self.data) else "shipped"]

    def problem(self) -> str:
        """What is wrong with the weights, as far as a look at the file tells; "" when nothing is."""
        try:
            whole = self.weights.stat().st_size == self.bytes
        except OSError:
            whole = False
        sentence = _("The weights {path} are damaged or missing; restore the file from the repository.")
        return "" if whole else sentence.format(path=self.weights)

    @property
    def weights(self) -> Path:
        return self.folder / "weights.safetensors"


def _read(path: Path) -> ModelCard:
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        plain["input_shape"] = tuple(plain["input_shape"])
        plain["classes"] = tuple(plain["classes"])
        return ModelCard(**plain, folder=path.parent)
    except (ValueError, TypeError, KeyError) as error:
        raise CorruptFile(
            _("The card {path} cannot be read; restore it from the repository.").format(path=path)
        ) from error


def _folders() -> list[Path]:
    """Where model folders lie: those that come with prunekit, and those in `PRUNEKIT_MODELS`, if it is set."""
    more = os.environ.get("PRUNEKIT_MODELS")
    return [SAMPLES, Path(more)] if more else [SAMPLES]


def model_cards() -> dict[str, ModelCard]:
    """All models that are there, by id; a new one of a known architecture is one folder and no code."""
    cards = (_read(path) for folder in _folders() for path in sorted(folder.glob("*/card.json")))
    return {card.id: card for card in cards}


def model_card(name: str) -> ModelCard:
    """The card of one model. Raises UnknownName with the names that would do."""
    cards = model_cards()
    if name not in cards:
        raise UnknownName.of(_("model"), name, cards)
    return cards[name]
