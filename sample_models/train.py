"""Train a sample model again: python sample_models/train.py NAME [--data FOLDER]."""

import argparse
import dataclasses
import json
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

# ruff: noqa: E402
# A script, not an installed package: the repository must be found first.
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from prunekit.core.threads import share_cores

share_cores()

import safetensors
import safetensors.torch
import torch
from torch.optim.swa_utils import update_bn

from prunekit.core.cards import ModelCard, model_card
from prunekit.core.disk import write_whole
from prunekit.core.fingerprint import checksum, fingerprint
from prunekit.core.recipe import Training
from prunekit.core.settings import told
from prunekit.data import Dataset, Split, load_dataset
from prunekit.models import build, load_model
from prunekit.models.resnet import deepen
from prunekit.structure.layers import count_macs
from prunekit.training import evaluate, train
from prunekit.training.allocation import keep_freed_memory
from prunekit.training.checkpoint import from_bytes, to_bytes


@dataclass(frozen=True)
class Turn:
    """Some epochs with a course of the learning rate of their own."""

    training: Training
    erase: int = 0  # see `Split`
    average: bool = False  # ends with the mean of the weights after each epoch, see `Average`

    def plain(self) -> dict:
        more = {name: value for name in ("erase", "average") if (value := getattr(self, name))}
        return told(self.training) | more


class Average:
    """The mean of the weights after each epoch (stochastic weight averaging: Izmailov et al. 2018, arXiv:1803.05407).

    It lies in the checkpoints beside what the training itself needs. state: a checkpoint to go on from, or None.
    """

    PREFIX = "average/"

    def __init__(self, state: dict | None):
        self.count = state.get("averaged", 0) if state else 0
        self.tensors = {n: t for n, t in state["tensors"].items() if n.startswith(self.PREFIX)} if state else {}

    def add(self, state: dict) -> None:
        """Takes an epoch's weights from its checkpoint, and puts the mean into it."""
        self.count += 1
        for name, now in list(state["tensors"].items()):
            if name.startswith("model/") and now.is_floating_point():
                mean = self.PREFIX + name.removeprefix("model/")
                self.tensors[mean] = (
                    self.tensors[mean].lerp(now, 1 / self.count) if mean in self.tensors else now.clone()
                )
        state["averaged"] = self.count
        state["tensors"] |= self.tensors

    def into(self, model: torch.nn.Module, split: Split, seed: int) -> None:
        """Makes the mean the model's weights, and measures the statistics of its batch norms for them."""
        mean = {name.removeprefix(self.PREFIX): tensor for name, tensor in self.tensors.items()}
        model.load_state_dict(model.state_dict() | mean)
        update_bn(split.batches(STATISTICS_BATCH, seed=seed, augment=True), model)


@dataclass(frozen=True)
class Sample:
    """What a sample model is made from."""

    title: str
    summary: str
    architecture: str
    arguments: dict
    data: str
    split: str
    training: Training
    seed: int = 0
    prefer: str = "auto"
    erase: int = 0  # see `Split`
    then: tuple[Turn, ...] = ()  # further turns, each from where the one before it ended
    begins_as: str = ""  # a shallower sample model, see `deepen`
    teacher: str = ""  # the sample model that `Training.distillation` asks


# What a training of several turns has come to, until the last has ended: to commit, so that another machine goes on.
BEGUN = HERE / "begun"
STATISTICS_BATCH = 256
AUGMENTATION = ("shift", "flips", "erase")
OTHERS = ("begins_as", "teacher")  # sample models that a sample was made with

CIFAR10_SPLIT = (
    "The 50,000 training images, 5 % of each class held out for validation with a fixed seed; the official test set. "
    "The shipped images are class-balanced parts of each."
)

SAMPLES = {
    "lenet-fashion": Sample(
        title="LeNet on Fashion-MNIST",
        summary="A small convolutional network that tells ten kinds of clothes apart. "
        "Everything about it is instant, so it is the one to start with.",
        architecture="lenet",
        arguments={"channels": [16, 32], "hidden": 128, "classes": 10, "input_shape": [1, 28, 28]},
        data="fashion-mnist",
        split="The 60,000 training images, split class by class with a fixed seed; the official test set. "
        "The shipped images are class-balanced parts of the training and the validation images.",
        training=Training(
            epochs=25,
            learning_rate=0.05,
            batch_size=64,
            weight_decay=5e-4,
            label_smoothing=0.05,
            precision="float32",
        ),
        prefer="full",
    ),
    "resnet20-cifar10": Sample(
        title="ResNet-20 on CIFAR-10",
        summary="The small residual network that pruning papers begin with. Its layers hang together across "
        "shortcuts, so removing channels is a matter of groups.",
        architecture="resnet",
        arguments={"depth": 20, "width": 16, "classes": 10, "input_shape": [3, 32, 32]},
        data="cifar10",
        split=CIFAR10_SPLIT,
        training=Training(epochs=72, learning_rate=0.1, batch_size=64, weight_decay=7e-4),
        prefer="full",
    ),
    "vgg-cifar10": Sample(
        title="VGG on CIFAR-10",
        summary="A plain chain of convolutions with far more channels than it needs: most of it can go.",
        architecture="vgg",
        arguments={
            "stages": [[48, 48], [128, 128], [256, 256], [256, 256]],
            "classes": 10,
            "input_shape": [3, 32, 32],
        },
        data="cifar10",
        split=CIFAR10_SPLIT,
        training=Training(epochs=52, learning_rate=0.1, batch_size=128, weight_decay=1e-3, label_smoothing=0.1),
        prefer="full",
        erase=8,
    ),
    "resnet56-cifar10": Sample(
        title="ResNet-56 on CIFAR-10",
        summary="The deep residual network of the pruning papers: 27 blocks, many of which change little.",
        architecture="resnet",
        arguments={"depth": 56, "width": 16, "classes": 10, "input_shape": [3, 32, 32]},
        data="cifar10",
        split=CIFAR10_SPLIT,
        # From scratch and without the teacher, 46 epochs gave 0.917 on validation and 0.989 in training; the first turn
        # here gives 0.918 and 0.955.
        training=Training(epochs=10, learning_rate=0.05, batch_size=64, weight_decay=1e-3, distillation=0.9),
        prefer="full",
        # One decay in three steps, cut where a session ends: in search at the first rate until the loss stands still.
        # It came to 0.9216 on validation, the mean of the weights of nine epochs at a constant rate to 0.9188 (test
        # 0.9199, training 0.959: there is still more to learn). Hence one longer decay, from a high rate.
        then=tuple(
            Turn(
                Training(
                    epochs=epochs,
                    learning_rate=rate,
                    batch_size=64,
                    weight_decay=1e-3,
                    decay=decay,
                    distillation=0.9,
                ),
                erase=8,
                average=average,
            )
            for epochs, rate, decay, average in (
                (6, 0.05, "constant", False),
                (3, 0.02, "constant", False),
                (8, 0.02, "cosine", False),
                (9, 0.01, "constant", True),
                (12, 0.05, "cosine", False),
            )
        ),
        begins_as="resnet20-cifar10",
        teacher="vgg-cifar10",
    ),
    "mlp-digits": Sample(
        title="Perceptron on digits",
        summary="Three hidden layers that read handwritten digits of 8 by 8 pixels. "
        "So small that a whole lesson fits on one screen.",
        architecture="mlp",
        arguments={"hidden": [64, 64, 32], "classes": 10, "input_shape": [1, 8, 8]},
        data="digits",
        split="60 % training, 20 % validation, 20 % test, split class by class with a fixed seed; all is shipped.",
        training=Training(
            epochs=60,
            learning_rate=0.05,
            batch_size=32,
            weight_decay=5e-4,
            label_smoothing=0.1,
            precision="float32",
        ),
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Train a sample model with a fixed seed and write its card.")
    parser.add_argument("name", choices=SAMPLES)
    parser.add_argument("--data", help="folder of full data sets, as torchvision lays them out (default: data/)")
    parser.add_argument("--epochs", type=int, help="fewer or more passes than the sample's own")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="CPU threads")
    parser.add_argument("--out", type=Path, help="folder to write to (default: sample_models/<name>)")
    parser.add_argument(
        "--state", type=Path, help="folder for a checkpoint of each epoch; a cut training goes on there"
    )
    given = parser.parse_args()
    if given.data:
        os.environ["PRUNEKIT_DATA"] = given.data
    torch.set_num_threads(given.threads)
    keep_freed_memory()

    sample = SAMPLES[given.name]
    turns = [Turn(sample.training, sample.erase), *sample.then]
    if given.epochs:
        turns = [Turn(dataclasses.replace(turn.training, epochs=given.epochs), turn.erase) for turn in turns]
    whole = load_dataset(sample.data, prefer=sample.prefer)
    dataset = whole.erasing(turns[-1].erase)
    epochs = " + ".join(str(turn.training.epochs) for turn in turns)
    print(f"{sample.title}: {len(dataset.train)} images, {epochs} epochs", flush=True)
    torch.manual_seed(sample.seed)
    model = build(sample.architecture, sample.arguments)
    if sample.begins_as:
        deepen(model, load_model(sample.begins_as))
    # Named after everything it depends on: a training by another recipe begins afresh.
    others = [model_card(name).checksum for name in (sample.begins_as, sample.teacher) if name]
    key = fingerprint([told(turns[0].training), sample.arguments, sample.erase, sample.seed, *others])
    teacher = load_model(sample.teacher) if sample.teacher else None
    keys = [key]
    for turn in turns[1:]:
        keys.append(fingerprint([keys[-1], turn.plain()]))
    begun = [BEGUN / f"{given.name}-{key}.safetensors" for key in keys]
    done = max((number for number, file in enumerate(begun, 1) if file.is_file()), default=0)
    if done:
        model.load_state_dict(safetensors.torch.load_file(begun[done - 1]))
        print(f"turn {done} of {len(turns)}: from {begun[done - 1]}", flush=True)
    for number, turn in list(enumerate(turns))[done:]:
        checkpoint = given.state / f"{given.name}-{keys[number]}.checkpoint" if given.state else None
        state = from_bytes(checkpoint.read_bytes()) if checkpoint and checkpoint.is_file() else None
        average = Average(state) if turn.average else None
        split = whole.erasing(turn.erase).train
        train(
            model,
            split,
            whole.task,
            turn.training,
            seed=sample.seed + number,
            teacher=teacher,
            validation=whole.validation,
            report=say,
            state=state,
            on_epoch=lambda state, checkpoint=checkpoint, average=average: keep(state, checkpoint, average),
        )
        if average:
            average.into(model, split, sample.seed + number)
            accuracy = evaluate(model, whole.validation, whole.task).value
            print(f"mean of {average.count} epochs  validation {accuracy:.4f}", flush=True)
        if number + 1 < len(turns):
            write_whole(begun[number], safetensors.torch.save(model.state_dict()))
            for file in begun[:number]:
                file.unlink(missing_ok=True)

    folder = given.out or HERE / given.name
    weights = folder / "weights.safetensors"
    write_whole(weights, safetensors.torch.save(model.state_dict()))
    card = card_of(given.name, sample, turns, dataset, model, weights)
    # The fields of ModelCard are the fields of the card: a missing or surplus one fails here.
    ModelCard(**card)
    write_whole(folder / "card.json", (json.dumps(card, indent=1, ensure_ascii=False) + "\n").encode())
    for file in BEGUN.glob(f"{given.name}-*"):  # the model is finished
        file.unlink()
    print(json.dumps(card["metrics"]), f"written to {folder}", sep="\n")


def keep(state: dict, path: Path | None, average: Average | None) -> None:
    """Writes a checkpoint, if there is a place for it, with the average in it, if there is one."""
    if average is not None:
        average.add(state)
    if path is not None:
        write_whole(path, to_bytes(state))


def say(event: dict) -> None:
    """One line for each epoch, and one for the precision."""
    if event["kind"] == "precision":
        print(event["sentence"], flush=True)
    if event["kind"] == "epoch":
        print(
            f"epoch {event['epoch']}/{event['epochs']}  loss {event['loss']:.4f}  train {event['train']:.4f}  "
            f"validation {event['validation']:.4f}  {event['seconds']:.1f} s",
            flush=True,
        )


def card_of(name: str, sample: Sample, turns: list[Turn], dataset: Dataset, model, weights: Path) -> dict:
    """The card as plain values; its metrics are those of the last epoch."""
    mean, std = dataset.normalization
    shipped = load_dataset(sample.data, prefer="shipped")
    return {
        "id": name,
        "title": sample.title,
        "summary": sample.summary,
        "architecture": sample.architecture,
        "arguments": model.blueprint["arguments"],
        "data": sample.data,
        "task_name": dataset.task.name,
        "input_shape": list(model.input_shape),
        "classes": list(dataset.classes),
        "preprocessing": {"pixels": "in [0, 1], then (pixel - mean) / std", "mean": list(mean), "std": list(std)},
        "training": told(turns[-1].training)
        | ({"before": [turn.plain() for turn in turns[:-1]]} if len(turns) > 1 else {})
        | {"seed": sample.seed, "augmentation": {name: getattr(dataset.train, name) for name in AUGMENTATION}}
        | {role: getattr(sample, role) for role in OTHERS if getattr(sample, role)},
        "split": {"how": sample.split, "full": sizes(dataset), "shipped": sizes(shipped)},
        "metrics": {"full": metrics(model, dataset), "shipped": metrics(model, shipped)},
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "macs": count_macs(model, torch.zeros(1, *model.input_shape)),
        "bytes": weights.stat().st_size,
        "checksum": checksum(weights),
        "licence": {"data": dataset.card.licence, "source": dataset.card.source, "weights": "MIT"},
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__.split("+")[0],
            "safetensors": safetensors.__version__,
            "threads": torch.get_num_threads(),
        },
    }


def parts(dataset: Dataset) -> dict[str, Split]:
    return {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}


def sizes(dataset: Dataset) -> dict[str, int]:
    """The number of examples in each part."""
    return {name: len(split) for name, split in parts(dataset).items()}


def metrics(model, dataset: Dataset) -> dict[str, float]:
    """The task's metric on each part."""
    return {name: round(evaluate(model, split, dataset.task).value, 6) for name, split in parts(dataset).items()}


if __name__ == "__main__":
    main()
