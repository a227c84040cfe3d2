"""People's own criteria: a Python file that is named once, on the command line, and known to every process.

Three environment variables carry it to the server, the engine and its workers: the file's name, its text as it was when
it was named (whoever goes on writing it gets the new one with the next start, and never half of each), and what it has,
in words, for processes without torch.
"""

import json
import os

from prunekit.core.fingerprint import fingerprint

FILE, TEXT, WORDS = "PRUNEKIT_SCORERS", "PRUNEKIT_SCORERS_TEXT", "PRUNEKIT_SCORERS_IN_WORDS"
LONGEST = 100_000  # bytes: of one variable, of which Linux takes 128 KB


def own_file() -> str:
    """The name of the file with people's own criteria; "" when none was named."""
    return os.environ.get(FILE, "")


def own_text() -> str:
    """What that file said when it was named."""
    return os.environ.get(TEXT, "")


def own_checksum() -> str:
    """One short name for what it said; "" when there is none."""
    return _checksum(own_text()) if own_text() else ""


def own_descriptions() -> list[dict]:
    """What its criteria are, as `prunekit.scoring.describe` tells of those that come along; and `own`, its checksum."""
    return json.loads(os.environ.get(WORDS) or "[]")


def variables(file: str, text: str, descriptions: list[dict] = ()) -> dict[str, str]:
    """The environment in which these criteria are there too."""
    words = json.dumps([description | {"own": _checksum(text)} for description in descriptions])
    return {FILE: file, TEXT: text, WORDS: words}


def _checksum(text: str) -> str:
    return fingerprint(text, 12)
