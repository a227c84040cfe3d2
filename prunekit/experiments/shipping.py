"""Writes what the first pages show without an engine: descriptions of the scorers, and answers on the sample models."""

import itertools
import json

from prunekit.core import descriptions, torchvision
from prunekit.core.cards import model_cards
from prunekit.core.packing import pack
from prunekit.core.recipe import Recipe
from prunekit.experiments import answers
from prunekit.experiments.shipped import FOLDER, question_key, sources_hash

INDEX = FOLDER / "index.json"
SCORERS = ("magnitude", Recipe().scorer)  # the simplest criterion, and the one that a first recipe takes
FEW = 200_000  # parameters; the scores of more single weights take megabytes, and the engine a moment


def questions() -> list[tuple[str, tuple]]:
    """What Start and Explore ask first of each sample model."""
    default, found = Recipe(), []
    for model, card in model_cards().items():
        found.append(("prunekit.experiments.answers:summary", (model,)))
        granularities = ("weight", "channel") if card.parameters <= FEW else ("channel",)
        for scorer, granularity in itertools.product(SCORERS, granularities):
            knobs = Recipe(model, scorer=scorer).knobs
            args = (model, scorer, dict(knobs), granularity, default.seed, default.calibration)
            found.append(("prunekit.experiments.answers:exploration", args))
    return found


def answer(name: str, args: tuple) -> bytes:
    """The packed answer, as it is shipped."""
    return pack({"value": getattr(answers, name.partition(":")[2])(*args)}, compress=True)


def main() -> None:
    from prunekit.models import torchvision_nets
    from prunekit.scoring import describe

    descriptions.FILE.write_text(json.dumps(describe(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    # A line a network: what changes with a new torchvision is seen at once.
    lines = ",\n".join(json.dumps(net, ensure_ascii=False) for net in torchvision_nets.describe())
    torchvision.FILE.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.npz"):
        old.unlink()
    for name, args in questions():
        path = FOLDER / f"{question_key(name, args)}.npz"
        path.write_bytes(answer(name, args))
        print(f"{path.name}  {path.stat().st_size:>9,} bytes  {name} {args}")
    INDEX.write_text(json.dumps({"sources": sources_hash()}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
