"""The run store: the single truth about runs. Everybody reads it; one process writes (see `ledger.py`)."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from prunekit.core.errors import StoreUnavailable, UnknownName
from prunekit.core.language import _
from prunekit.experiments.folder import LITTLE_BYTES, disk_full, free_bytes
from prunekit.experiments.held import Held, ask
from prunekit.experiments.runs import ACTIVE, WAITING, Run, StoredSweep, queue_order, stands
from prunekit.experiments.schema import EVENTS, KNOWN_VERSIONS, RUNS, SWEEP_RUNS, SWEEPS


class Store:
    """Reads `runs.sqlite` in a folder."""

    _mode = "ro"
    _patience = 2.0  # seconds that a locked file is waited for: a page should not stand still

    def __init__(self, folder: Path):
        self.folder = Path(folder)
        self.path = self.folder / "runs.sqlite"
        self._has_sweeps = False
        self._file: tuple | None = None  # which file it was that was read last
        self._held = Held(self.path)
        self._engine = sa.create_engine(
            f"sqlite+pysqlite:///file:{quote(str(self.path))}?mode={self._mode}&uri=true",
            connect_args={"timeout": self._patience},
        )
        sa.event.listen(self._engine, "connect", _prepare)

    def close(self) -> None:
        """Lets go of the file; it is opened again when it is needed."""
        self._engine.dispose()
        self._held.forget()

    def _read(self, query) -> list[sa.Row]:
        seen = file_identity(self.path)
        if seen is None:  # nothing has run here yet
            return []
        if self._file != seen:  # a damaged one was moved away, say, and a new one began
            self.close()
            self._has_sweeps = False
            self._check_version()
            self._file = seen
        try:
            with clearly(self.path):
                return self._held.rows(query, self._engine) if self._mode == "ro" else ask(query, self._engine)
        except StoreUnavailable as error:
            self.close()
            if "no such" in str(error.__cause__):
                self._check_version()
                if self._version() is None:  # the recorder is about to make its tables
                    return []
            raise

    def _version(self) -> str | None:
        """The version of the file's shape; None for one without any, such as an empty file."""
        there = sa.text("select 1 from sqlite_master where name = 'alembic_version'")
        with clearly(self.path), self._engine.connect() as connection:
            if not connection.execute(there).first():
                return None
            return connection.execute(sa.text("select version_num from alembic_version")).scalar()

    def _check_version(self) -> None:
        if not self.path.exists() or (version := self._version()) is None or version in KNOWN_VERSIONS:
            return
        sentence = _(
            "The run history in {folder} was written by a newer prunekit; update this one, or set PRUNEKIT_HOME to "
            "another folder."
        )
        raise StoreUnavailable(sentence.format(folder=self.folder))

    def runs(self, fingerprint: str | None = None) -> list[Run]:
        """All runs, oldest first; or those of one recipe."""
        # As they were added, not by `created`: clocks are put back.
        query = sa.select(RUNS).order_by(sa.text("runs.rowid"))
        if fingerprint is not None:
            query = query.where(RUNS.c.fingerprint == fingerprint)
        return [Run(**row._mapping) for row in self._read(query)]

    def run(self, run_id: str) -> Run:
        """One run. Raises UnknownName when it is not there."""
        rows = self._read(sa.select(RUNS).where(RUNS.c.id == run_id))
        if not rows:
            raise UnknownName(_("There is no run called “{id}”; it may have been deleted.").format(id=run_id))
        return Run(**rows[0]._mapping)

    def same(self, fingerprint: str) -> Run | None:
        """The run that stands for a recipe; the newest of them."""
        fit = [run for run in self.runs(fingerprint) if stands(run)]
        return fit[-1] if fit else None

    def place(self, run_id: str) -> int:
        """How many runs are ahead of a queued one; 0 when it is next or no longer waits."""
        runs = self.runs()
        ids = [run.id for run in sorted((run for run in runs if run.state in WAITING), key=queue_order)]
        busy = any(run.state in ACTIVE for run in runs)
        return ids.index(run_id) + busy if run_id in ids else 0

    def events(self, run_id: str, kinds: tuple[str, ...] = ()) -> list[dict]:
        """The events of a run in the order they happened, each with its `time`; only `kinds`, if given.

        A resumed run shows the epochs of its earlier attempts up to where it went on.
        """
        query = sa.select(EVENTS).where(EVENTS.c.run == run_id).order_by(EVENTS.c.attempt, EVENTS.c.number)
        if kinds:
            query = query.where(EVENTS.c.kind.in_(kinds))
        return [{"attempt": row.attempt, "time": row.time, "kind": row.kind} | row.body for row in self._read(query)]

    def sweeps(self) -> list[StoredSweep]:
        """All sweeps, oldest first."""
        if not self._knows_sweeps():
            return []
        rows = self._read(sa.select(SWEEPS).order_by(SWEEPS.c.created, SWEEPS.c.id))
        return [StoredSweep(**row._mapping) for row in rows]

    def sweep(self, sweep_id: str) -> StoredSweep:
        """One sweep. Raises UnknownName when it is not there."""
        found = next((sweep for sweep in self.sweeps() if sweep.id == sweep_id), None)
        if found is None:
            sentence = _("There is no sweep called “{id}”; it may have been deleted.")
            raise UnknownName(sentence.format(id=sweep_id))
        return found

    def runs_of(self, sweep_id: str) -> list[Run]:
        """The runs of a sweep in the order of its plan; those that were deleted are missing."""
        if not self._knows_sweeps():
            return []
        joined = sa.select(RUNS).join(SWEEP_RUNS, SWEEP_RUNS.c.run == RUNS.c.id).where(SWEEP_RUNS.c.sweep == sweep_id)
        return [Run(**row._mapping) for row in self._read(joined.order_by(SWEEP_RUNS.c.place))]

    def members(self) -> dict[str, list[str]]:
        """The ids of the runs of each sweep, by the sweep's id, in the order of its plan."""
        if not self._knows_sweeps():
            return {}
        found: dict[str, list[str]] = {}
        for row in self._read(sa.select(SWEEP_RUNS).order_by(SWEEP_RUNS.c.sweep, SWEEP_RUNS.c.place)):
            found.setdefault(row.sweep, []).append(row.run)
        return found

    def _knows_sweeps(self) -> bool:
        # A page may open a history of the first version before the recorder has brought it up to date.
        if not self._has_sweeps:
            master = sa.text("select 1 from sqlite_master where name = 'sweep_runs'")
            self._has_sweeps = bool(self._read(master))
        return self._has_sweeps

    def files(self, run_id: str) -> Path:
        """The folder of a run's checkpoint and model."""
        return self.folder / "runs" / run_id


@contextlib.contextmanager
def clearly(path: Path) -> Iterator[None]:
    """Database errors become one sentence that says what to do."""
    try:
        yield
    except SQLAlchemyError as error:
        raise StoreUnavailable(_sentence(error, path)) from error


def _sentence(error: SQLAlchemyError, path: Path) -> str:
    cause = getattr(error, "orig", None)
    code = getattr(cause, "sqlite_errorname", None) or ""
    if code == "SQLITE_FULL" or (code.startswith("SQLITE_IOERR") and free_bytes(path.parent) < LITTLE_BYTES):
        return disk_full()
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return _("The run history is locked by another program; close it and try again.")
    if code.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")):
        return _("The run history cannot be opened; check that its folder may be written to.")
    if code.startswith("SQLITE_IOERR"):
        sentence = _("The disk of the run history does not work ({reason}); see to it and try again.")
        return sentence.format(reason=cause)
    sentence = _(
        "The run history is damaged; move runs.sqlite away from {folder} and start again. Finished runs come back with "
        "their saved models."
    )
    return sentence.format(folder=path.parent)


def file_identity(path: Path) -> tuple | None:
    """What tells a file from another one of its name; None where there is none."""
    with contextlib.suppress(OSError):
        seen = path.stat()
        return seen.st_dev, seen.st_ino
    return None


def _prepare(connection, _record) -> None:
    cursor = connection.cursor()
    cursor.execute("pragma foreign_keys=on")
    # A reader may not switch the journal, and need not: the writer has.
    with contextlib.suppress(Exception):
        cursor.execute("pragma journal_mode=wal")
        cursor.execute("pragma synchronous=normal")
    cursor.close()
