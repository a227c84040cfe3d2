"""The run store: the single truth about runs. One process writes (the recorder), everybody reads."""

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import JSON, Boolean, Column, Float, ForeignKey, Integer, MetaData, String, Table
from sqlalchemy.exc import SQLAlchemyError

from prunekit.core.errors import StoreUnavailable, UnknownName
from prunekit.core.language import _
from prunekit.experiments.folder import LITTLE_BYTES, disk_full, free_bytes, refusal

READ_SECONDS, WRITE_SECONDS = 2, 5  # how long a locked file is waited for: a page should not stand still
KNOWN_VERSIONS = tuple(p.name.split("_")[0] for p in Path(__file__).with_name("migrations").glob("versions/0*.py"))

METADATA = MetaData()
RUNS = Table(
    "runs",
    METADATA,
    Column("id", String, primary_key=True),
    Column("fingerprint", String, nullable=False, index=True),
    Column("title", String, nullable=False),
    Column("recipe", JSON, nullable=False),
    Column("role", String, nullable=False),
    Column("state", String, nullable=False),
    Column("created", Float, nullable=False),
    Column("started", Float),
    Column("ended", Float),
    Column("attempt", Integer, nullable=False, default=0),
    Column("error", String),
    Column("result", JSON),
)
EVENTS = Table(
    "events",
    METADATA,
    Column("run", String, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("time", Float, nullable=False),
    Column("kind", String, nullable=False),
    Column("body", JSON, nullable=False),
)
SWEEPS = Table(
    "sweeps",
    METADATA,
    Column("id", String, primary_key=True),
    Column("fingerprint", String, nullable=False, index=True),
    Column("title", String, nullable=False),
    Column("plan", JSON, nullable=False),
    Column("created", Float, nullable=False),
    Column("stopped", Boolean, nullable=False, default=False),
)
SWEEP_RUNS = Table(
    "sweep_runs",
    METADATA,
    Column("sweep", String, ForeignKey("sweeps.id", ondelete="CASCADE"), primary_key=True),
    Column("run", String, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("place", Integer, nullable=False),
)
HISTORIES = Table(
    "histories", METADATA, Column("name", String, primary_key=True), Column("time", Float, nullable=False)
)

# queued -> running -> finished | stopped | failed | interrupted; an interrupted or stopped run can be resumed.
WAITING = ("queued",)
ACTIVE = ("running", "stopping")
ENDED = ("finished", "stopped", "failed", "interrupted")
RESUMABLE = ("stopped", "interrupted", "failed")
# Who waits for whom: people's own runs, the random controls that ride along, the runs of sweeps.
ROLES = ("run", "control", "sweep")
STUDY = "study"  # the role of finished runs that came with prunekit


@dataclass(frozen=True)
class Run:
    """One row of the store. Times are seconds since 1970; `result` holds the figures once there are any."""

    id: str
    fingerprint: str
    title: str
    recipe: dict
    role: str  # one of ROLES: "run", "control" for the random baseline that rides along, "sweep"; or "study"
    state: str
    created: float
    started: float | None
    ended: float | None
    attempt: int
    error: str | None
    result: dict | None

    @property
    def is_over(self) -> bool:
        return self.state in ENDED


@dataclass(frozen=True)
class StoredSweep:
    """A sweep's row: its plan as `Sweep.to_plain` gives it; `stopped` says that it was stopped as a whole."""

    id: str
    fingerprint: str
    title: str
    plan: dict
    created: float
    stopped: bool


@contextlib.contextmanager
def _clearly(path: Path) -> Iterator[None]:
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
        "The run history is damaged; move runs.sqlite away from {folder} and start again. Saved models are kept."
    )
    return sentence.format(folder=path.parent)


class Store:
    """Reads (and, in the recorder alone, writes) `runs.sqlite` in a folder."""

    def __init__(self, folder: Path, writable: bool = False):
        self.folder = Path(folder)
        self.path = self.folder / "runs.sqlite"
        self.writable = writable
        self._has_sweeps = False
        self._file: tuple | None = None  # which file it was that was read last
        mode, patience = ("rwc", WRITE_SECONDS) if writable else ("ro", READ_SECONDS)
        self._engine = sa.create_engine(
            f"sqlite+pysqlite:///file:{quote(str(self.path))}?mode={mode}&uri=true", connect_args={"timeout": patience}
        )
        sa.event.listen(self._engine, "connect", _prepare)
        if writable:
            self._migrate()

    def _migrate(self) -> None:
        # Imported here: only the recorder migrates, and pages should start fast.
        from alembic import command
        from alembic.config import Config

        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnavailable(refusal(error, self.folder)) from error
        self._check_version()
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
        config.attributes["url"] = sa.URL.create("sqlite", database=str(self.path))
        with _clearly(self.path):
            command.upgrade(config, "head")

        self._file = _identity(self.path)

    def close(self) -> None:
        """Lets go of the file; it is opened again when it is needed."""
        self._engine.dispose()

    def is_gone(self) -> bool:
        """Whether another file, an empty one, or none is now where this one was."""
        return self._file is not None and (self._file != _identity(self.path) or not self.path.stat().st_size)

    # -- reading ----------------------------------------------------------------------------------------------

    def _read(self, query) -> list[sa.Row]:
        seen = _identity(self.path)
        if seen is None:  # nothing has run here yet
            return []
        if self._file != seen:  # a damaged one was moved away, say, and a new one began
            self.close()
            self._has_sweeps = False
            self._check_version()
            self._file = seen
        try:
            with _clearly(self.path), self._engine.connect() as connection:
                return list(connection.execute(query))
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
        with _clearly(self.path), self._engine.connect() as connection:
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
        """The run of a recipe that need not be run again: waiting, running or finished; the newest of them."""
        fit = [r for r in self.runs(fingerprint) if r.state in WAITING + ACTIVE + ("finished",)]
        return fit[-1] if fit else None

    def place(self, run_id: str) -> int:
        """How many runs are ahead of a queued one; 0 when it is next or no longer waits."""
        waiting = sorted((r for r in self.runs() if r.state in WAITING), key=queue_order)
        ids = [r.id for r in waiting]
        busy = any(r.state in ACTIVE for r in self.runs())
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

    # -- writing, in the recorder only ------------------------------------------------------------------------

    @contextlib.contextmanager
    def _write(self) -> Iterator[sa.Connection]:
        assert self.writable, "only the recorder writes"
        with _clearly(self.path), self._engine.begin() as connection:
            yield connection

    def add(self, recipe: dict, fingerprint: str, title: str, role: str) -> str:
        """A new queued run; its id is the fingerprint of its recipe and a counter."""
        taken = {r.id for r in self.runs(fingerprint)} | self._folders()
        counter = next(n for n in range(1, len(taken) + 2) if f"{fingerprint}-{n}" not in taken)
        run_id = f"{fingerprint}-{counter}"
        row = {"id": run_id, "fingerprint": fingerprint, "title": title, "recipe": recipe, "role": role}
        with self._write() as connection:
            moment = _moment(connection)
            connection.execute(RUNS.insert().values(state="queued", created=moment, attempt=0, **row))
        return run_id

    def change(self, run_id: str, **values) -> None:
        """Sets columns of one run."""
        with self._write() as connection:
            connection.execute(RUNS.update().where(RUNS.c.id == run_id).values(**values))

    def add_events(self, run_id: str, attempt: int, events: list[dict]) -> None:
        """Appends events ({"number", "time", ...body}); ones already there are left as they are."""
        rows = [
            {"run": run_id, "attempt": attempt} | {k: e[k] for k in ("number", "time", "kind")} | {"body": _body(e)}
            for e in events
        ]
        with self._write() as connection:
            known = connection.execute(sa.select(RUNS.c.id).where(RUNS.c.id == run_id)).first()
            if known and rows:  # a deleted run's last events have nowhere to go
                connection.execute(EVENTS.insert().prefix_with("OR IGNORE"), rows)

    def delete(self, run_id: str) -> None:
        """Forgets a run and its events."""
        with self._write() as connection:
            connection.execute(SWEEP_RUNS.delete().where(SWEEP_RUNS.c.run == run_id))
            connection.execute(EVENTS.delete().where(EVENTS.c.run == run_id))
            connection.execute(RUNS.delete().where(RUNS.c.id == run_id))

    def add_sweep(
        self, plan: dict, fingerprint: str, title: str, wanted: list[tuple[dict, str, str]]
    ) -> tuple[str, list[str], list[str]]:
        """A sweep over the wanted (recipe, fingerprint, title)s: its id, the runs that are new, those there before.

        A recipe that waits, runs or is finished counts; so do all runs of a sweep with this fingerprint that is there
        already, which is then added to.
        """
        with self._write() as connection:
            now = _moment(connection)
            same = connection.execute(sa.select(SWEEPS.c.id).where(SWEEPS.c.fingerprint == fingerprint)).first()
            sweep_id = same.id if same else _free(f"sweep-{fingerprint}", _ids(connection, SWEEPS))
            if not same:
                row = {"id": sweep_id, "fingerprint": fingerprint, "title": title, "plan": plan, "created": now}
                connection.execute(SWEEPS.insert().values(stopped=False, **row))
            there = connection.execute(sa.select(RUNS.c.id, RUNS.c.fingerprint, RUNS.c.state).order_by(RUNS.c.created))
            there = list(there)
            taken = {row.id for row in there} | self._folders()
            standing = {row.fingerprint: row.id for row in there if row.state in WAITING + ACTIVE + ("finished",)}
            mine = set(connection.execute(sa.select(SWEEP_RUNS.c.run).where(SWEEP_RUNS.c.sweep == sweep_id)).scalars())
            standing |= {row.fingerprint: row.id for row in there if row.id in mine}
            new, known, links = [], [], []
            for place, (recipe, mark, words) in enumerate(wanted):
                run_id = standing.get(mark)
                if run_id is None:
                    run_id = _free(mark, taken)
                    taken.add(run_id)
                    row = {"id": run_id, "fingerprint": mark, "title": words, "recipe": recipe, "role": "sweep"}
                    # A thousandth of a second apart: they wait in the order of the plan.
                    new.append(row | {"state": "queued", "created": now + place / 1000, "attempt": 0})
                else:
                    known.append(run_id)
                links.append({"sweep": sweep_id, "run": run_id, "place": place})
            if new:
                connection.execute(RUNS.insert(), new)
            if links:
                connection.execute(SWEEP_RUNS.insert().prefix_with("OR REPLACE"), links)
        return sweep_id, [row["id"] for row in new], known

    def link(self, sweep_id: str, run_id: str, place: int) -> None:
        """Counts a run among those of a sweep."""
        with self._write() as connection:
            row = {"sweep": sweep_id, "run": run_id, "place": place}
            connection.execute(SWEEP_RUNS.insert().prefix_with("OR REPLACE").values(**row))

    def change_sweep(self, sweep_id: str, **values) -> None:
        """Sets columns of one sweep."""
        with self._write() as connection:
            connection.execute(SWEEPS.update().where(SWEEPS.c.id == sweep_id).values(**values))

    def change_many(self, run_ids: list[str], again: bool = False, **values) -> None:
        """Sets the same columns of many runs in one transaction; `again` counts one more attempt of each."""
        if again:
            values["attempt"] = RUNS.c.attempt + 1
        with self._write() as connection:
            connection.execute(RUNS.update().where(RUNS.c.id.in_(run_ids)).values(**values))

    def delete_sweep(self, sweep_id: str, run_ids: list[str] = ()) -> None:
        """Forgets a sweep, and the given runs with their events."""
        with self._write() as connection:
            connection.execute(SWEEP_RUNS.delete().where(SWEEP_RUNS.c.sweep == sweep_id))
            connection.execute(SWEEPS.delete().where(SWEEPS.c.id == sweep_id))
            for table, column in ((SWEEP_RUNS, "run"), (EVENTS, "run"), (RUNS, "id")):
                connection.execute(table.delete().where(table.c[column].in_(run_ids)))

    def bring_in(self, name: str, sweeps: list[dict], role: str) -> None:
        """Adds the finished runs of a history (see `histories.py`) and its sweeps, unless that was done before."""
        with self._write() as connection:
            if connection.execute(sa.select(HISTORIES.c.name).where(HISTORIES.c.name == name)).first():
                return
            connection.execute(HISTORIES.insert().values(name=name, time=time.time()))
            taken = _ids(connection, RUNS) | self._folders()
            for number, sweep in enumerate(sweeps, 1):
                rows = []
                for run in sweep["runs"]:
                    run_id = _free(run["fingerprint"], taken)
                    taken.add(run_id)
                    rows.append({"id": run_id, "role": role, "state": "finished", "attempt": 0, "error": None} | run)
                connection.execute(RUNS.insert(), rows)
                row = {"id": f"{name}-{number}", "fingerprint": f"{name}-{number}", "stopped": False}
                row |= {"created": min(run["created"] for run in rows)}
                connection.execute(SWEEPS.insert().values(title=sweep["title"], plan=sweep["plan"], **row))
                links = [{"sweep": row["id"], "run": run["id"], "place": i} for i, run in enumerate(rows)]
                connection.execute(SWEEP_RUNS.insert(), links)

    def last_in_queue(self, run_id: str, **values) -> None:
        """Sets columns of one run, which then waits behind all others of its role."""
        with self._write() as connection:
            values |= {"created": _moment(connection)}
            connection.execute(RUNS.update().where(RUNS.c.id == run_id).values(**values))

    def files(self, run_id: str) -> Path:
        """The folder of a run's checkpoint and model."""
        return self.folder / "runs" / run_id

    def _folders(self) -> set[str]:
        # Saved models outlive a history that was lost: their names are not given to other runs.
        with contextlib.suppress(OSError):
            return {path.name for path in (self.folder / "runs").iterdir()}
        return set()


def queue_order(run: Run) -> tuple:
    """People's own runs go before the controls, and those before sweeps; otherwise first come, first served."""
    return rank(run.role), run.created, run.id


def rank(role: str) -> int:
    """0 for the runs that go first."""
    return ROLES.index(role) if role in ROLES else len(ROLES)


def _identity(path: Path) -> tuple | None:
    with contextlib.suppress(OSError):
        seen = path.stat()
        return seen.st_dev, seen.st_ino
    return None


def _moment(connection: sa.Connection) -> float:
    """Now; or, when the clock was put back meanwhile, a moment after the last of those that wait."""
    last = connection.execute(sa.select(sa.func.max(RUNS.c.created)).where(RUNS.c.state.in_(WAITING))).scalar()
    return max(time.time(), (last or 0.0) + 0.001)


def _free(name: str, taken: set[str]) -> str:
    return next(f"{name}-{n}" for n in range(1, len(taken) + 2) if f"{name}-{n}" not in taken)


def _ids(connection: sa.Connection, table: Table) -> set[str]:
    return set(connection.execute(sa.select(table.c.id)).scalars())


def _body(event: dict) -> dict:
    body = {k: v for k, v in event.items() if k not in ("number", "time", "kind")}
    return json.loads(json.dumps(body))


def _prepare(connection, _record) -> None:
    cursor = connection.cursor()
    cursor.execute("pragma foreign_keys=on")
    # A reader may not switch the journal, and need not: the writer has.
    with contextlib.suppress(Exception):
        cursor.execute("pragma journal_mode=wal")
        cursor.execute("pragma synchronous=normal")
    cursor.close()
