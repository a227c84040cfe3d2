"""The cards of the models that are there, read from JSON without loading a model."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from prunekit.core.data_folder import part_at_hand
from prunekit.core.errors import CorruptFile, UnknownName
from prunekit.core.language import _
from prunekit.core.tasks import TASKS, Task
from prunekit.core.torchvision import SEED, TorchvisionNet, named_by, torchvision_entry, versions

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
    weights_from: str = "file"  # "file": beside the card; "seed": drawn at random; "download": published ones

    @property
    def task(self) -> Task:
        return TASKS[self.task_name]

    def identity(self) -> list[str]:
        """What answers about this model depend on: its weights, and whether the full data set is there."""
        return [self.checksum, part_at_hand(self.data)]

    @property
    def erase(self) -> int:
        """The side of the square that was blanked in each picture it was trained on (Cutout), 0 for none."""
        augmentation = self.training.get("augmentation")
        return augmentation.get("erase", 0) if isinstance(augmentation, dict) else 0

    def problem(self) -> str:
        """What is wrong with the weights, as far as a look at the file tells; "" when nothing is."""
        if self.weights_from != "file":
            return ""
        try:
            whole = self.weights.stat().st_size == self.bytes
        except OSError:
            whole = False
        sentence = _("The weights {path} are damaged or missing; restore the file from the repository.")
        return "" if whole else sentence.format(path=self.weights)

    @property
    def weights(self) -> Path:
        return self.folder / "weights.safetensors"

    @property
    def batch_sizes(self) -> tuple[int, int]:
        """What its latency is measured at: 64 of torchvision's large pictures take minutes and gigabytes."""
        return (1, 64) if self.weights_from == "file" else (1, 8)

    def lack_of_data(self) -> str:
        """What cannot be done because there is no data set for this model, and what can; "" when there is one."""
        if self.data:
            return ""
        sentence = _(
            "{model} has no data set here: accuracy, fine-tuning and criteria that look at data need one; its layers, "
            "weights, cuts, MACs, size and speed are all there."
        )
        return sentence.format(model=_(self.title))


def _read(path: Path) -> ModelCard:
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        plain["input_shape"] = tuple(plain["input_shape"])
        plain["classes"] = tuple(plain["classes"])
        card = ModelCard(**plain, folder=path.parent)
        if type(card.erase) is not int or card.erase < 0:
            raise ValueError("erase")
        return card
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


def find_card(name) -> ModelCard | None:
    """The card of one model, or None where there is no model of that name."""
    try:
        return model_card(name)
    except UnknownName:
        return None


def model_card(name: str) -> ModelCard:
    """The card of one model. Raises UnknownName with the names that would do."""
    if named := named_by(name):
        net, published = named
        return (_published if published else _untrained)(name, torchvision_entry(net))
    cards = model_cards()
    if name not in cards:
        raise UnknownName.of(_("model"), name, cards)
    return cards[name]


def _untrained(model_id: str, net: TorchvisionNet) -> ModelCard:
    return _torchvision(
        model_id,
        net,
        title=_("{name} (untrained)").format(name=net.name),
        summary=_("Its weights are random: what importance they show means nothing yet."),
        arguments={"name": net.name, "input_shape": list(net.input_shape)},
        training={"seed": SEED},
        metrics={},
        # They follow from these and nothing else.
        checksum=" ".join([net.name, f"seed {SEED}", *(f"{k} {v}" for k, v in versions().items())]),
        licence={"code": "BSD-3-Clause", "source": net.source},
        weights_from="seed",
    )


def _published(model_id: str, net: TorchvisionNet) -> ModelCard:
    given = net.published
    rescaled = {"transform_input": True} if given.rescaled else {}
    return _torchvision(
        model_id,
        net,
        title=_("{name} (published weights)").format(name=net.name),
        summary=_("Its weights are torchvision's default ones, trained on ImageNet-1K."),
        arguments={"name": net.name, "classes": given.classes, "input_shape": list(net.input_shape)} | rescaled,
        training={},
        metrics={"published": {"test": given.top1}},
        checksum=given.file,  # its name holds the first digits of its SHA-256
        licence={"code": "BSD-3-Clause", "weights": given.licence, "source": net.source},
        weights_from="download",
    )


def _torchvision(model_id: str, net: TorchvisionNet, **own) -> ModelCard:
    """What both have in common: no data set, no split, no files of ours."""
    return ModelCard(
        id=model_id,
        architecture="torchvision",
        data="",
        task_name="classification",
        input_shape=net.input_shape,
        classes=(),
        preprocessing={},
        split={},
        parameters=net.parameters,
        macs=net.macs,
        bytes=net.bytes,
        versions=versions(),
        **own,
    )
