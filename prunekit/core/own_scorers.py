"""People's own criteria: a Python file that is named once, on the command line, and known to every process.

Two environment variables carry it to the server, the engine and its workers: the file, which only processes with torch
run, and what it has, in words, for those without.
"""

import json
import os
from pathlib import Path

from prunekit.core.fingerprint import checksum

FILE, WORDS = "PRUNEKIT_SCORERS", "PRUNEKIT_SCORERS_IN_WORDS"


def own_file() -> Path | None:
    """The file with people's own criteria, if one was named."""
    given = os.environ.get(FILE)
    return Path(given).absolute() if given else None


def own_descriptions() -> list[dict]:
    """What its criteria are, as `prunekit.scoring.describe` tells of those that come along; and `own`, its checksum."""
    return json.loads(os.environ.get(WORDS) or "[]")


def make_known(file: Path, descriptions: list[dict]) -> None:
    """From now on, and in all processes that are started from here, these criteria are there too."""
    os.environ[FILE] = str(file.absolute())
    os.environ[WORDS] = json.dumps([description | {"own": checksum(file)} for description in descriptions])
