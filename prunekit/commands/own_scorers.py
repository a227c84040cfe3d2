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
from prunekit.experiments.folder import ROOT

# By the commands that have a use for criteria; the `--scorers` of a sweep are those to run.
FLAGS = {"app": ("--scorers", "--scorer-file")} | dict.fromkeys(("score", "prune", "sweep"), ("--scorer-file",))


def add_scorer_file(parser, command: str) -> None:
    words = _("a Python file with criteria of your own (see the README)")
    parser.add_argument(*FLAGS[command], dest="scorer_file", metavar="FILE", help=words)


def use(file: str) -> None:
    """Makes the criteria of a file known here and to all processes that are started from here.

    Another process reads it: the server that follows has no torch. Raises BadSetting, in one sentence.
    """
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
        own_scorers.FILE: "",
    }
    words = [sys.executable, "-m", "prunekit.scoring", str(Path(file).absolute())]
    done = subprocess.run(words, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    # Only the last line is ours: the file may print.
    answer = json.loads(done.stdout.strip().splitlines()[-1]) if not done.returncode else {}
    if "scorers" not in answer:
        raise BadSetting(answer.get("refused") or _("{file} ended the process that read it.").format(file=file))
    own_scorers.make_known(Path(file), answer["scorers"])
    scorer_descriptions.cache_clear()
