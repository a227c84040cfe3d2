"""The run store: the single truth about runs. One process writes (the recorder), everybody reads."""

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import JSON, Column, Float, ForeignKey, Integer, MetaData, String, Table
from sqlalchemy.exc import SQLAlchemyError

from prunekit.core.errors import StoreUnavailable, UnknownName
from prunekit.core.language import _

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

# queued -> running -> finished | stopped | failed | interrupted; an interrupted or stopped run can be resumed.
WAITING = ("queued",)
ACTIVE = ("running", "stopping")
ENDED = ("finished", "stopped", "failed", "interrupted")


@dataclass(frozen=True)
class Run:
    """One row of the store. Times are seconds since 1970; `result` holds the figures once there are any."""

    id: str
    fingerprint: str
    title: str
    recipe: dict
    role: str  # "run", or "control" for the random baseline that rides along
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


@contextlib.contextmanager
def _clearly() -> Iterator[None]:
    """Database errors become one sentence that says what to do."""
    try:
        yield
    except SQLAlchemyError as error:
        what = str(getattr(error, "orig", error)).lower()
        if "full" in what:
            sentence = _("The disk is full; free some space and try again. Finished epochs are kept.")
        elif "locked" in what or "busy" in what:
            sentence = _("The run history is locked by another program; close it and try again.")
        elif "readonly" in what or "unable to open" in what:
            sentence = _("The run history cannot be opened; check that its folder may be written to.")
        else:
            sentence = _("The run history is damaged; move runs.sqlite away and start again. Saved models are kept.")
        raise StoreUnavailable(sentence) from error


class Store:
    """Reads (and, in the recorder alone, writes) `runs.sqlite` in a folder."""

    def __init__(self, folder: Path, writable: bool = False):
        self.folder = Path(folder)
        self.path = self.folder / "runs.sqlite"
        self.writable = writable
        if writable:
            self._migrate()
        mode = "rwc" if writable else "ro"
        self._engine = sa.create_engine(
            f"sqlite+pysqlite:///file:{quote(str(self.path))}?mode={mode}&uri=true", connect_args={"timeout": 5}
        )
        sa.event.listen(self._engine, "connect", _prepare)

    def _migrate(self) -> None:
        # Imported here: only the recorder migrates, and pages should start fast.
        from alembic import command
        from alembic.config import Config

        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            sentence = _("The folder {path} cannot be written to; set PRUNEKIT_HOME to another one.")
            raise StoreUnavailable(sentence.format(path=self.folder)) from error
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
        config.attributes["url"] = sa.URL.create("sqlite", database=str(self.path))
        with _clearly():
            command.upgrade(config, "head")

    # -- reading ----------------------------------------------------------------------------------------------

    def _read(self, query) -> list[sa.Row]:
        if not self.path.exists():  # nothing has run here yet
            return []
        with _clearly(), self._engine.connect() as connection:
            return list(connection.execute(query))

    def runs(self, fingerprint: str | None = None) -> list[Run]:
        """All runs, oldest first; or those of one recipe."""
        query = sa.select(RUNS).order_by(RUNS.c.created, RUNS.c.id)
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

    # -- writing, in the recorder only ------------------------------------------------------------------------

    @contextlib.contextmanager
    def _write(self) -> Iterator[sa.Connection]:
        assert self.writable, "only the recorder writes"
        with _clearly(), self._engine.begin() as connection:
            yield connection

    def add(self, recipe: dict, fingerprint: str, title: str, role: str) -> str:
        """A new queued run; its id is the fingerprint of its recipe and a counter."""
        taken = {r.id for r in self.runs(fingerprint)}
        counter = next(n for n in range(1, len(taken) + 2) if f"{fingerprint}-{n}" not in taken)
        run_id = f"{fingerprint}-{counter}"
        row = {"id": run_id, "fingerprint": fingerprint, "title": title, "recipe": recipe, "role": role}
        with self._write() as connection:
            connection.execute(RUNS.insert().values(state="queued", created=time.time(), attempt=0, **row))
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
            connection.execute(EVENTS.delete().where(EVENTS.c.run == run_id))
            connection.execute(RUNS.delete().where(RUNS.c.id == run_id))

    def files(self, run_id: str) -> Path:
        """The folder of a run's checkpoint and model."""
        return self.folder / "runs" / run_id


def queue_order(run: Run) -> tuple:
    """People's own runs go before the controls that ride along; otherwise first come, first served."""
    return run.role == "control", run.created, run.id


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
