"""Writing a file whole, and what is said where a disk refuses: it is full, or the folder is somebody else's."""

import contextlib
import errno
import os
import threading
from pathlib import Path

from prunekit.core.language import _

PART = ".part"


def write_whole(path: Path, content: bytes) -> None:
    """A file's new content in one move: who reads at any moment, also after a crash, sees the old one or the new one.

    Raises OSError, and then leaves nothing behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}{PART}")
    try:
        with open(part, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)  # half a file only takes the room that is missing
        raise


def clear_parts(folder: Path) -> None:
    """Takes away what a process that was killed while it wrote has left in a folder that nobody else writes to now."""
    for part in folder.glob(f".*{PART}"):
        part.unlink(missing_ok=True)


def is_full(error: Exception) -> bool:
    """Whether it is for want of room, on the disk or in somebody's share of it, that a file could not be written."""
    return getattr(error, "errno", None) in (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))


def no_room(folder: Path | None = None) -> str:
    """The sentence for a disk without room; an error that comes while writing does not say where that is."""
    if folder is None:
        return _("The disk is full; free some space and try again.")
    return _("The disk is full; free some space in {folder} and try again.").format(folder=folder)


def not_ours(folder: Path, choice: str) -> str:
    """The sentence for a folder that cannot be written to; `choice` is the variable or the option that names it."""
    sentence = _("The folder {path} cannot be written to; set {choice} to another one.")
    return sentence.format(path=folder, choice=choice)
