"""Fetch a full data set with torchvision into the data folder: whole and checked, or not there at all."""

import contextlib
import errno
import http.client
import io
import os
import shutil
import socket
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from prunekit.core.data_cards import DATA_CARDS, DataCard
from prunekit.core.data_folder import data_folder, has_full_set
from prunekit.core.disk import is_full, not_ours
from prunekit.core.errors import BadSetting, CorruptFile, StoreUnavailable, UnknownName, Unreachable
from prunekit.core.language import _
from prunekit.data.catalogue import load_dataset

# The class in torchvision.datasets that fetches a set, and the folder it unpacks it to: that of FULL_SETS.
SOURCES = {"fashion-mnist": ("FashionMNIST", "FashionMNIST/raw"), "cifar10": ("CIFAR10", "cifar-10-batches-py")}
SILENCE_SECONDS = 30  # a server that says nothing for this long is not there
LOOK_SECONDS = 0.5
DISK_TROUBLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO)


def download(name: str, report: Callable[[int, int], None] = lambda done, total: None) -> bool:
    """Fetches a full set; False when it was there already.

    report: called now and then, from another thread, with the bytes fetched so far and the bytes in all; when the two
    are equal, what came is being unpacked and checked.

    Everything is unpacked and checked beside the data folder's own files, by the checksums that torchvision knows, and
    moved among them at the end: what an earlier try left behind never counts as there.

    Raises UnknownName, BadSetting (nothing to fetch), Unreachable, CorruptFile (not the official files) and
    StoreUnavailable (no room, no right to write, or another download of the same set is going on).
    """
    if name not in DATA_CARDS:
        raise UnknownName.of(_("data set"), name, DATA_CARDS)
    card = DATA_CARDS[name]
    if name not in SOURCES:
        raise BadSetting(_("{title} is shipped whole; there is nothing to download.").format(title=card.title))
    if _is_readable(name):  # before anything is written: the folder of a set that is there may be for reading only
        return False
    with _locked(card):
        if _is_readable(name):
            return False
        _check_room(card)
        staging = data_folder() / f".download-{name}"
        try:
            _clear(staging)
            with _reporting(staging, card.download, report):
                _fetch(card, staging)
            _move(staging / SOURCES[name][1], data_folder() / SOURCES[name][1])
        except OSError as error:
            raise _disk(card, error) from error
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    return True


def _is_readable(name: str) -> bool:
    """Whether the full set is there and sound; a damaged one is fetched again."""
    try:
        return has_full_set(name) and bool(load_dataset(name, "full"))
    except CorruptFile:
        return False


@contextlib.contextmanager
def _locked(card: DataCard) -> Iterator[None]:
    folder = data_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f".download-{card.id}.lock", timeout=0)
        lock.acquire()
    except Timeout as error:
        sentence = _("{title} is being downloaded to {folder} already; wait until that is done.")
        raise StoreUnavailable(sentence.format(title=card.title, folder=folder)) from error
    except OSError as error:
        raise _disk(card, error) from error
    try:
        yield
    finally:
        lock.release()


def _check_room(card: DataCard) -> None:
    if shutil.disk_usage(data_folder()).free < card.room:
        raise _disk(card, OSError(errno.ENOSPC, "no room"))


def _disk(card: DataCard, error: OSError) -> StoreUnavailable:
    if is_full(error):
        sentence = _("There is no room for {title} in {folder}: it takes {room} MB for a while; free some space.")
        return StoreUnavailable(
            sentence.format(title=card.title, folder=data_folder(), room=round(card.room / 1_000_000))
        )
    return StoreUnavailable(not_ours(data_folder(), "PRUNEKIT_DATA"))


def _clear(staging: Path) -> None:
    """Leaves only archives of an earlier try: torchvision takes those that are whole, by their checksum."""
    if staging.is_symlink():  # into a folder that is somebody else's
        staging.unlink()
    staging.mkdir(exist_ok=True)
    for path in sorted(staging.rglob("*"), reverse=True):
        if path.is_dir():
            with contextlib.suppress(OSError):  # not empty
                path.rmdir()
        elif path.suffix != ".gz":
            path.unlink()


@contextlib.contextmanager
def _reporting(staging: Path, total: int, report: Callable[[int, int], None]) -> Iterator[None]:
    """Reports how large the archives have grown: torchvision tells nobody but the terminal."""
    over = threading.Event()

    def look() -> None:
        report(min(_size_of_archives(staging), total), total)

    def look_on() -> None:
        while not over.wait(LOOK_SECONDS):
            look()

    thread = threading.Thread(target=look_on, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    look()  # the last bytes may have come after the last look


def _size_of_archives(staging: Path) -> int:
    size = 0
    for path in staging.rglob("*.gz"):
        with contextlib.suppress(OSError):
            size += path.stat().st_size
    return size


def _fetch(card: DataCard, staging: Path) -> None:
    import torchvision.datasets  # here: it takes as long as torch itself

    source = getattr(torchvision.datasets, SOURCES[card.id][0])
    patience = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SILENCE_SECONDS)  # torchvision itself would wait for ever
    try:
        with contextlib.redirect_stderr(io.StringIO()):  # its progress bar
            source(staging, download=True)
    except OSError as error:
        if is_full(error) or error.errno in DISK_TROUBLE:
            raise
        raise _unreachable(card, source) from error
    except http.client.HTTPException as error:
        raise _unreachable(card, source) from error
    except RuntimeError as error:
        # A checksum that differs and, for the MNIST family, also a server that cannot be reached, told apart by words.
        if "<urlopen error" in str(error) or "HTTP Error" in str(error):
            raise _unreachable(card, source) from error
        sentence = _("What came from {host} is not the whole, official {title}, by its checksum; try again.")
        raise CorruptFile(sentence.format(host=_host(source), title=card.title)) from error
    finally:
        socket.setdefaulttimeout(patience)


def _unreachable(card: DataCard, source) -> Unreachable:
    sentence = _(
        "{host} cannot be reached, so {title} was not downloaded; connect this machine to the internet and try again."
    )
    return Unreachable(sentence.format(host=_host(source), title=card.title))


def _host(source) -> str:
    """The server that a data set of torchvision comes from."""
    return urllib.parse.urlsplit(getattr(source, "url", None) or source.mirrors[0]).hostname or ""


def _move(source: Path, target: Path) -> None:
    """Puts each unpacked file in its place, whole; the set is there when the last one is."""
    target.mkdir(parents=True, exist_ok=True)
    for file in sorted(source.iterdir()):
        if file.suffix != ".gz":
            os.replace(file, target / file.name)
