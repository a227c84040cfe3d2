"""`app --scorers FILE`, `--scorer-file FILE` elsewhere: people's own criteria beside those that come along."""

import json
import os
import subprocess
import sys
from pathlib import Path

from prunekit.core import own_scorers
from prunekit.core.descriptions import scorer_descriptions
from prunekit.core.errors import BadSetting
from prunekit.core.language import _
from prunekit.experiments.folder import python_path

# By the commands that have a use for criteria; the `--scorers` of a sweep are those to run.
FLAGS = {"app": ("--scorers", "--scorer-file")} | dict.fromkeys(
    ("score", "sensitivity", "prune", "sweep"), ("--scorer-file",)
)


def add_scorer_file(parser, command: str) -> None:
    words = _("a Python file with criteria of your own (see the README)")
    default = own_scorers.own_file() or None
    parser.add_argument(*FLAGS[command], dest="scorer_file", metavar="FILE", help=words, default=default)


def use(file: str) -> None:
    """Makes the criteria of a file known here and to all processes that are started from here.

    Another process reads it: the server that follows has no torch. Raises BadSetting, in one sentence.
    """
    path = Path(file).absolute()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(_("The file {file} cannot be read as a text of Python.").format(file=path)) from error
    if len(text.encode()) > own_scorers.LONGEST:
        raise BadSetting(_("{file} is longer than 100 KB; a file of criteria is short.").format(file=path.name))
    found = _read(own_scorers.variables(str(path), text))
    if not isinstance(found, dict):
        raise BadSetting(_("{file} ended the process that read it.").format(file=path.name))
    if "refused" in found:
        raise BadSetting(found["refused"])
    os.environ.update(own_scorers.variables(str(path), text, found["scorers"]))
    scorer_descriptions.cache_clear()


def _read(variables: dict[str, str]) -> dict | None:
    """What `commands.scorers_in_words` says of the file; None where it does not get to say it."""
    environment = os.environ | variables | {"PYTHONPATH": python_path()}
    words = [sys.executable, "-m", "prunekit.commands.scorers_in_words"]
    done = subprocess.run(words, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    try:
        return json.loads(done.stdout.splitlines()[-1])  # the file may print before it
    except (IndexError, ValueError):
        return None
