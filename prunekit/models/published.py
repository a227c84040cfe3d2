"""Weights that torchvision publishes: fetched once, checked by their hash, read without running what they hold."""

import contextlib
import errno
import hashlib
import http.client
import os
import pickle
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import torch

from prunekit.core.amounts import size
from prunekit.core.cards import ModelCard
from prunekit.core.disk import is_full, no_room, not_ours
from prunekit.core.errors import ComingLater, CorruptFile, PrunekitError, Unreachable
from prunekit.core.language import _
from prunekit.core.torchvision import PublishedWeights, published_weights

PATIENCE = 8  # seconds without an answer, or without another piece of the file, after which a server is given up
PIECE = 2**20
TELL_SECONDS = 2.0
REMEMBER_SECONDS = 10  # a failure is told to everybody who asks within these; then it is tried again

Report = Callable[[str], None]


def tensors_of(card: ModelCard, report: Report | None = None) -> dict[str, torch.Tensor]:
    """The state dict of published weights, fetched first where they are not there yet.

    report: is told, in a sentence every few seconds, how far that is. Raises Unreachable, CorruptFile, PrunekitError.
    """
    given = published_weights(card.id)
    path = fetch(given, report)
    if not _is_whole(path, given):
        sentence = _("{path} is not the file that torchvision published; delete it, and it is fetched again.")
        raise CorruptFile(sentence.format(path=path))
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
        sentence = _("{path} holds more than weights, or none; it is not opened.")
        raise CorruptFile(sentence.format(path=path)) from error


def fetch(given: PublishedWeights, report: Report | None = None) -> Path:
    """The file of published weights, downloaded where it is not there: whole and checked, or not at all.

    Unlike `torch.hub.download_url_to_file` it does not wait for ever on a line that is dead.
    """
    path = given.path
    if path.is_file():
        return path
    host = urlsplit(given.url).hostname
    number = name = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(given.url, timeout=PATIENCE) as answer:
            number, name = tempfile.mkstemp(dir=path.parent, prefix=given.file + ".", suffix=".part")
            with os.fdopen(number, "wb") as file:
                found = _copy(answer, file, given, report)
        if not found.startswith(_promised(given)):
            sentence = _("What {host} sent is not the file {file}; try again, or take the untrained network.")
            raise CorruptFile(sentence.format(host=host, file=given.file))
        os.chmod(name, 0o644)  # as torch would have left it: mkstemp lets nobody else read
        os.replace(name, path)
    except (OSError, http.client.HTTPException) as error:  # URLError and time-outs are OSErrors too
        raise _refusal(error, host, path.parent) from error
    finally:
        if name is not None:
            with contextlib.suppress(OSError):
                os.unlink(name)
    return path


def fetched_or_later(card: ModelCard) -> None:
    """Returns when the weights of a card are there; else starts fetching them beside whatever else is done.

    Raises ComingLater, with how far it is, and later whatever `fetch` raised.
    """
    given = published_weights(card.id)
    if given.path.is_file():
        return
    with _lock:
        under_way = _under_way.get(given.url)
        if under_way is None or under_way.is_forgotten():
            under_way = _under_way[given.url] = _Fetching(given)
    under_way.done.wait(0.2)  # refusals are quick, as a rule
    under_way.raise_state()


class _Fetching:
    """A download in a thread of its own, and what it said last."""

    def __init__(self, given: PublishedWeights):
        self.given = given
        self.done = threading.Event()
        self.error: PrunekitError | None = None
        self.ended = 0.0
        host = urlsplit(given.url).hostname
        self.sentence = _("Asking {host} for {file}.").format(host=host, file=given.file)
        threading.Thread(target=self._fetch, name="fetch-weights", daemon=True).start()

    def _fetch(self) -> None:
        try:
            fetch(self.given, self._hear)
        except PrunekitError as error:
            self.error = error
        except Exception as error:  # a thread that dies silently would be waited for for ever
            sentence = _("{file} could not be fetched ({reason}); take the untrained network.")
            self.error = PrunekitError(sentence.format(file=self.given.file, reason=type(error).__name__))
        self.ended = time.monotonic()
        self.done.set()

    def _hear(self, sentence: str) -> None:
        self.sentence = sentence

    def is_forgotten(self) -> bool:
        return self.done.is_set() and (self.error is None or time.monotonic() - self.ended > REMEMBER_SECONDS)

    def raise_state(self) -> None:
        if not self.done.is_set():
            raise ComingLater(self.sentence)
        if self.error is not None:
            raise self.error


_lock = threading.Lock()
_under_way: dict[str, _Fetching] = {}


def _copy(answer, file, given: PublishedWeights, report: Report | None) -> str:
    """Copies an answer into a file piece by piece; the SHA-256 of all of it."""
    digest, done, told = hashlib.sha256(), 0, 0.0
    whole = int(answer.headers.get("Content-Length") or given.bytes)
    while piece := answer.read(PIECE):
        file.write(piece)
        digest.update(piece)
        done += len(piece)
        if report is not None and time.monotonic() - told > TELL_SECONDS:
            told = time.monotonic()
            sentence = _("Fetching the published weights {file}: {done} of {whole}.")
            report(sentence.format(file=given.file, done=size(done), whole=size(whole)))
    return digest.hexdigest()


def _is_whole(path: Path, given: PublishedWeights) -> bool:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest().startswith(_promised(given))


def _promised(given: PublishedWeights) -> str:
    """The first digits of the SHA-256 in a file's name: resnet18-f37072fd.pth."""
    return given.file.rpartition("-")[2].partition(".")[0]


def _refusal(error: Exception, host: str, folder: Path) -> PrunekitError:
    if is_full(error):
        return PrunekitError(no_room(folder))
    not_allowed = getattr(error, "errno", None) in (errno.EACCES, errno.EROFS, errno.EPERM)
    if not_allowed and not isinstance(error, urllib.error.URLError):
        return PrunekitError(not_ours(folder, "TORCH_HOME"))
    sentence = _(
        "This machine cannot reach {host}, where the published weights lie; take the untrained network, which has the "
        "same structure, MACs, size and speed."
    )
    return Unreachable(sentence.format(host=host))
