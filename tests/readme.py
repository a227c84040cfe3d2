"""`make readme`: writes the README's tables from the saved results of benchmarks and studies."""

import re
import sys
import textwrap
from pathlib import Path

from tests import results

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
SOURCES = {"benchmarks": "tests/benchmarks/results.json", "studies": "tests/studies/results.json"}


def table(saved: dict) -> str:
    """The rows as a Markdown table, and below it where they were made."""
    lines = ["| row | measured | goal | spread | what |", "|---|---|---|---|---|"]
    for row in saved["rows"]:
        cells = (f"`{row['name']}`", f"{row['value']:g} {row['unit']}", row["goal"] or "–", row["spread"], row["what"])
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", *_origins(saved["rows"])])


def _origins(rows: list[dict]) -> list[str]:
    """One line for each environment, with the names of its rows where there are several."""
    made: dict[str, list[str]] = {}
    for row in rows:
        made.setdefault(results.told_environment(row["environment"]), []).append(f"`{row['name']}`")
    if len(made) == 1:
        return list(made)
    return [f"- {', '.join(names)}: {told}" for told, names in made.items()]


def written(text: str) -> str:
    """The README with its tables as the results say."""
    for name, path in SOURCES.items():
        between = re.compile(f"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
        assert between.search(text), f"the README has no place for {name}"
        fresh = table(results.load(ROOT / path))
        text = between.sub(lambda found, fresh=fresh: f"{found[1]}{fresh}\n{found[2]}", text)
    return text


def criterion_example() -> str:
    """The file with a criterion of one's own that the README shows."""
    text = README.read_text(encoding="utf-8")
    shown = text[
        text.index("    from dataclasses import dataclass\n") : text.index("\n`prunekit/scoring/base.py` says")
    ]
    return textwrap.dedent(shown)


def main() -> int:
    README.write_text(written(README.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
