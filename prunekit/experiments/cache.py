"""Answers on disk, bounded, never pickles: asked once, known after a restart."""

import contextlib
import os
from pathlib import Path

LIMIT_BYTES = 256 * 2**20
TRIM_EVERY = 32  # answers: to look at all files takes longer than to write a small one


class AnswerCache:
    """A folder of packed answers named by the fingerprint of the question; the oldest go when it is full."""

    def __init__(self, folder: Path, limit: int = LIMIT_BYTES):
        self.folder = Path(folder)
        self.limit = limit
        self._since = TRIM_EVERY  # answers since the last look: the first one looks

    def get(self, key: str) -> bytes | None:
        with contextlib.suppress(OSError):
            return (self.folder / key).read_bytes()
        return None

    def forget(self, key: str) -> None:
        with contextlib.suppress(OSError):
            (self.folder / key).unlink()

    def put(self, key: str, packed: bytes) -> None:
        """Keeps an answer; a full or read-only disk only means that it is computed again next time."""
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            # Not flushed to the disk, as `write_whole` does: nobody waits for that, a lost answer is computed again.
            temporary = self.folder / f".{key}.{os.getpid()}"
            try:
                temporary.write_bytes(packed)
                temporary.replace(self.folder / key)
            except OSError:  # half an answer only takes the room that is missing
                temporary.unlink(missing_ok=True)
                raise
            self._since += 1 + len(packed) * TRIM_EVERY // max(self.limit // 8, 1)
            if self._since >= TRIM_EVERY:
                self._since = 0
                self._trim()

    def _trim(self) -> None:
        files = sorted((f.stat().st_mtime, f.stat().st_size, f) for f in self.folder.iterdir())
        excess = sum(size for _time, size, _file in files) - self.limit
        for _time, size, file in files:
            if excess <= 0:
                return
            file.unlink(missing_ok=True)
            excess -= size
