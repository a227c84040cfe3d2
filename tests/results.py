"""Saved results of benchmarks and studies: rows with a name, a value, a goal and a spread, and where they come from."""

import datetime
import json
import platform
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Row:
    """One figure. `goal` is what was asked for ("<= 5", or nothing), `spread` how far measurements lie apart."""

    name: str
    value: float
    unit: str
    goal: str
    spread: str
    what: str

    @property
    def met(self) -> bool:
        if not self.goal:  # beside a row that has one, for comparison
            return True
        sign, limit = self.goal.split()
        return self.value <= float(limit) if sign == "<=" else self.value >= float(limit)

    def __str__(self) -> str:
        verdict = "met" if self.met else "MISSED"
        return f"{self.name:32} {self.value:10.4g} {self.unit:8} goal {self.goal:10} {verdict:6}  {self.spread}"


def environment() -> dict:
    """Commit, date, machine and versions."""
    import torch

    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    return {
        "commit": commit.stdout.strip(),
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{_processor()}, {_cores()} cores",
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def told_environment(here: dict) -> str:
    """An environment as a sentence."""
    versions = f"Python {here['python']}, torch {here['torch']}"
    return f"Commit {here['commit']}, {here['date']}, {here['machine']}, {versions}."


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    names = (
        [line.split(":")[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        if info.exists()
        else []
    )
    return names[0] if names else platform.processor() or platform.machine()


def _cores() -> int:
    import psutil

    return psutil.cpu_count() or 1


def load(path: Path) -> dict:
    """The saved results, or empty ones."""
    if not path.exists():
        return {"rows": []}
    return json.loads(path.read_text(encoding="utf-8"))


def save(path: Path, rows: list[Row], **more) -> None:
    """Puts rows into the results: a row of the same name is replaced, the others stay; each tells where it was made."""
    results, here = load(path), environment()
    fresh = {row.name: asdict(row) | {"environment": here} for row in rows}
    kept = [row for row in results["rows"] if row["name"] not in fresh]
    results = results | more | {"rows": sorted([*kept, *fresh.values()], key=lambda row: row["name"])}
    path.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
