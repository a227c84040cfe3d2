"""Answers that come with the sample models, so that the first pages need no engine."""

import functools
import hashlib
from pathlib import Path

from prunekit.core.cards import SAMPLES, find_card
from prunekit.core.fingerprint import fingerprint
from prunekit.core.own_scorers import own_checksum

PACKAGE = Path(__file__).resolve().parents[1]
FOLDER = SAMPLES / "answers"

# An answer depends on the code below these; a change there makes every stored answer a stranger.
SOURCES = ("core", "structure", "models", "data", "scoring", "selection", "surgery", "training", "masks.py")
SOURCES += ("pruning/scan.py", "experiments/answers")


@functools.cache
def sources_hash() -> str:
    """One short name for the state of the code that answers come from."""
    digest = hashlib.sha256()
    files = []
    for source in SOURCES:
        path = PACKAGE / source
        files += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    for file in files:
        digest.update(file.relative_to(PACKAGE).as_posix().encode() + b"\0" + file.read_bytes().replace(b"\r\n", b"\n"))
    digest.update(own_checksum().encode())
    return digest.hexdigest()[:12]


def question_key(name: str, args: tuple) -> str:
    """The fingerprint of a question: the function, its arguments, and which weights and data they are about."""
    card = find_card(args[0]) if args and isinstance(args[0], str) else None
    return fingerprint([name, list(args), card.identity() if card else ""], 20)


def answer_key(name: str, args: tuple) -> str:
    """The fingerprint of an answer: that of its question, and the state of the code that gives it."""
    return f"{question_key(name, args)}-{sources_hash()}"


def shipped_answer(key: str) -> bytes | None:
    """The packed answer with an `answer_key`, if it is one of those about sample models that are shipped.

    Files are named after the question alone, so that a change of code that changes no answer changes no file;
    `make shipped` writes them, and a test fails when they are not what the code says.
    """
    path = FOLDER / f"{key.partition('-')[0]}.npz"
    return path.read_bytes() if path.is_file() else None
