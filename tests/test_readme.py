"""The README is true: its tables are the saved results, its paths exist, its commands are in the Makefile."""

import re

from tests.readme import README, ROOT, written

TEXT = README.read_text(encoding="utf-8")


def test_the_tables_are_those_of_the_saved_results():
    assert written(TEXT) == TEXT, "run `make readme` and commit what it writes"


def test_every_make_command_it_names_is_there():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`?make ([a-z]+)", TEXT))
    assert {"run", "test"} <= named <= targets


def test_every_file_it_links_or_shows_is_there():
    paths = [p for p in re.findall(r"\]\(([^)#]+)\)", TEXT) if not p.startswith("http")]
    assert paths
    assert [p for p in paths if not (ROOT / p).exists()] == []
