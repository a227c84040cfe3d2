"""The tables of the run store. What changes here needs a migration."""

from pathlib import Path

from sqlalchemy import JSON, Boolean, Column, Float, ForeignKey, Integer, MetaData, String, Table

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
