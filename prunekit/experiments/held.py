"""What a database file answered, held for as long as nobody has written to it."""

import contextlib
import threading
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

LOOK_SECONDS = 0.2  # for so long somebody else's look at the file is waited for
MOST_HELD = 100  # answers; the events of a long run are the largest


class Held:
    """The answers of a file to what it was asked, for as long as nobody has written to it.

    Thirty visitors look once a second each, and mostly at the same thing.
    """

    def __init__(self, path: Path):
        self._path = path
        self._lock = threading.Lock()
        self._watch: sa.Connection | None = None
        self._turn = 0  # how often a connection to watch with was opened
        self._state: tuple | None = None
        self._rows: dict[str, list[sa.Row]] = {}

    def rows(self, query, engine: sa.Engine) -> list[sa.Row]:
        """The rows of a query, from the file where they are not known."""
        asked = str(query.compile(engine, compile_kwargs={"literal_binds": True}))
        # A file that is locked keeps the first who looks waiting, and nobody else behind it.
        if not self._lock.acquire(timeout=LOOK_SECONDS):
            return ask(query, engine)
        try:
            # Before the question: what is written meanwhile makes the next look ask again.
            state = self._state_of(engine)
            if state != self._state:
                self._state, self._rows = state, {}
            if asked in self._rows:
                return self._rows[asked]
        finally:
            self._lock.release()
        rows = ask(query, engine)
        with self._lock:
            if state is not None and state == self._state:
                if len(self._rows) >= MOST_HELD:
                    self._rows.clear()
                self._rows[asked] = rows
        return rows

    def forget(self) -> None:
        with self._lock:
            self._state, self._rows = None, {}
            self._let_go()

    def _state_of(self, engine: sa.Engine) -> tuple | None:
        """What changes with every write, of whatever process; None when it cannot be known just now."""
        try:
            # Of one connection only: the number says how often others have written since it was opened.
            if self._watch is None:
                self._watch, self._turn = engine.connect(), self._turn + 1
                self._watch.detach()  # from the pool: when it is closed, it lets go of the file
            version = self._watch.exec_driver_sql("pragma data_version").scalar()
            self._watch.rollback()
            seen = self._path.stat()
        except (SQLAlchemyError, OSError):
            self._let_go()
            return None
        return self._turn, version, seen.st_ino, seen.st_mtime_ns, seen.st_size

    def _let_go(self) -> None:
        watch, self._watch = self._watch, None
        if watch is not None:
            with contextlib.suppress(SQLAlchemyError):
                watch.close()


def ask(query, engine: sa.Engine) -> list[sa.Row]:
    """The rows of a query, from the file."""
    with engine.connect() as connection:
        return list(connection.execute(query))
