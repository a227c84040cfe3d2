"""Threads that wait for each other leave a busy machine to others, unless somebody has said how they should wait."""

import os
import subprocess
import sys

from prunekit.core.threads import PATIENCE, share_cores


def test_what_was_set_before_is_left_alone(monkeypatch):
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    share_cores()
    assert os.environ["GOMP_SPINCOUNT"] == "7"
    monkeypatch.delenv("GOMP_SPINCOUNT")
    share_cores()
    assert os.environ["GOMP_SPINCOUNT"] == PATIENCE["GOMP_SPINCOUNT"]


def test_the_command_line_settles_it_before_torch_is_there():
    code = (
        "import sys, runpy, prunekit.commands\n"
        "import os\n"
        "seen = {}\n"
        "prunekit.commands.main = lambda: seen.update(os.environ, torch='torch' in sys.modules)\n"
        "try: runpy.run_module('prunekit', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "print(seen['GOMP_SPINCOUNT'], seen['torch'])"
    )
    clean = {name: value for name, value in os.environ.items() if name != "GOMP_SPINCOUNT"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=clean, check=True)
    assert done.stdout.split() == [PATIENCE["GOMP_SPINCOUNT"], "False"]
