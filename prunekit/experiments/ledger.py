"""The writing side of the run store, for the one process that writes: the recorder, a study, a sweep from a script."""

import contextlib
import dataclasses
import json
import time
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from prunekit.core.errors import StoreUnavailable
from prunekit.experiments.folder import refusal
from prunekit.experiments.runs import WAITING, Run, stands
from prunekit.experiments.schema import EVENTS, HISTORIES, RUNS, SWEEP_RUNS, SWEEPS
from prunekit.experiments.store import Store, clearly, file_identity

MOST_PROGRESS = 400  # events of an attempt; there is one a second


class Ledger(Store):
    """Reads and writes `runs.sqlite` in a folder; made, and brought up to date, where it has to be."""

    _mode = "rwc"
    _patience = 5.0

    def __init__(self, folder: Path):
        super().__init__(folder)
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
        with clearly(self.path):
            command.upgrade(config, "head")
        self._file = file_identity(self.path)

    def is_gone(self) -> bool:
        """Whether another file, an empty one, or none is now where this one was."""
        return self._file is not None and (self._file != file_identity(self.path) or not self.path.stat().st_size)

    @contextlib.contextmanager
    def _write(self) -> Iterator[sa.Connection]:
        with clearly(self.path), self._engine.begin() as connection:
            yield connection

    def add(self, recipe: dict, fingerprint: str, title: str, role: str) -> str:
        """A new queued run; its id is the fingerprint of its recipe and a counter."""
        taken = {r.id for r in self.runs(fingerprint)} | self._folders()
        run_id = _free(fingerprint, taken)
        row = {"id": run_id, "fingerprint": fingerprint, "title": title, "recipe": recipe, "role": role}
        with self._write() as connection:
            moment = _moment(connection)
            connection.execute(RUNS.insert().values(state="queued", created=moment, attempt=0, **row))
        return run_id

    def change(self, run_id: str, **values) -> None:
        """Sets columns of one run."""
        with self._write() as connection:
            connection.execute(RUNS.update().where(RUNS.c.id == run_id).values(**values))

    def interrupt(self, run_id: str, why: str) -> None:
        """Says of a run that it was cut off just now."""
        self.change(run_id, state="interrupted", ended=time.time(), error=why)

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
                if any(row["kind"] == "progress" for row in rows):
                    _thin(connection, run_id, attempt)

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

        A recipe that a run stands for counts as there before; so do all runs of a sweep with this fingerprint that is
        there already, which is then added to.
        """
        with self._write() as connection:
            now = _moment(connection)
            same = connection.execute(sa.select(SWEEPS.c.id).where(SWEEPS.c.fingerprint == fingerprint)).first()
            sweep_id = same.id if same else _free(f"sweep-{fingerprint}", _ids(connection, SWEEPS))
            if not same:
                row = {"id": sweep_id, "fingerprint": fingerprint, "title": title, "plan": plan, "created": now}
                connection.execute(SWEEPS.insert().values(stopped=False, **row))
            columns = (RUNS.c.id, RUNS.c.fingerprint, RUNS.c.state, RUNS.c.role)
            there = list(connection.execute(sa.select(*columns).order_by(RUNS.c.created)))
            taken = {row.id for row in there} | self._folders()
            standing = {row.fingerprint: row.id for row in there if stands(row)}
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

    def bring_in(self, name: str, sweeps: list[tuple[dict, str, list[Run]]]) -> None:
        """Adds the sweeps of a history, each (plan, title, runs), unless that was done before."""
        with self._write() as connection:
            if connection.execute(sa.select(HISTORIES.c.name).where(HISTORIES.c.name == name)).first():
                return
            connection.execute(HISTORIES.insert().values(name=name, time=time.time()))
            taken = _ids(connection, RUNS) | self._folders()
            for number, (plan, title, runs) in enumerate(sweeps, 1):
                rows = []
                for run in runs:
                    run_id = _free(run.fingerprint, taken)
                    taken.add(run_id)
                    rows.append(dataclasses.asdict(run) | {"id": run_id})
                connection.execute(RUNS.insert(), rows)
                row = {"id": f"{name}-{number}", "fingerprint": f"{name}-{number}", "stopped": False}
                row |= {"created": min(run["created"] for run in rows)}
                connection.execute(SWEEPS.insert().values(title=title, plan=plan, **row))
                links = [{"sweep": row["id"], "run": run["id"], "place": i} for i, run in enumerate(rows)]
                connection.execute(SWEEP_RUNS.insert(), links)

    def put_back(self, runs: list[Run]) -> None:
        """Adds runs as they are."""
        with self._write() as connection:
            connection.execute(RUNS.insert(), [dataclasses.asdict(run) for run in runs])

    def last_in_queue(self, run_id: str, **values) -> None:
        """Sets columns of one run, which then waits behind all others of its role."""
        with self._write() as connection:
            values |= {"created": _moment(connection)}
            connection.execute(RUNS.update().where(RUNS.c.id == run_id).values(**values))

    def _folders(self) -> set[str]:
        # Saved models outlive a history that was lost: their names are not given to other runs.
        with contextlib.suppress(OSError):
            return {path.name for path in (self.folder / "runs").iterdir()}
        return set()


def _thin(connection: sa.Connection, run_id: str, attempt: int) -> None:
    """Leaves at most half of an attempt's progress events, evenly spread, when there are many: no chart shows more."""
    mine = (EVENTS.c.run == run_id) & (EVENTS.c.attempt == attempt) & (EVENTS.c.kind == "progress")
    numbers = connection.execute(sa.select(EVENTS.c.number).where(mine).order_by(EVENTS.c.number)).scalars().all()
    if len(numbers) <= MOST_PROGRESS:
        return
    apart, gone, last = 2 * (numbers[-1] - numbers[0]) / MOST_PROGRESS, [], float("-inf")
    for number in numbers[:-1]:  # the last one says how far the run is
        if number - last < apart:
            gone.append(number)
        else:
            last = number
    connection.execute(EVENTS.delete().where(mine & EVENTS.c.number.in_(gone)))


def _moment(connection: sa.Connection) -> float:
    """Now; or, when the clock was put back meanwhile, a moment after the last of those that wait."""
    last = connection.execute(sa.select(sa.func.max(RUNS.c.created)).where(RUNS.c.state.in_(WAITING))).scalar()
    return max(time.time(), (last or 0.0) + 0.001)


def _free(name: str, taken: set[str]) -> str:
    return next(f"{name}-{n}" for n in range(1, len(taken) + 2) if f"{name}-{n}" not in taken)


def _ids(connection: sa.Connection, table: sa.Table) -> set[str]:
    return set(connection.execute(sa.select(table.c.id)).scalars())


def _body(event: dict) -> dict:
    body = {k: v for k, v in event.items() if k not in ("number", "time", "kind")}
    return json.loads(json.dumps(body))
