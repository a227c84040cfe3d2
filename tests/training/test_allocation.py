"""Freed memory is kept: page faults are counted, in a process of its own."""

import os
import subprocess
import sys

import pytest

PAGES = 8 * 2**20 // 4096
STEPS = 20
SCRIPT = """
import resource, sys, torch
from prunekit.training.allocation import keep_freed_memory
torch.set_num_threads(1)
if sys.argv[1] == "kept":
    assert keep_freed_memory()
faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range({steps}):
    torch.ones(2 * 2**20)  # the allocator's first few blocks
before = faults()
for _ in range({steps}):
    torch.ones(2 * 2**20)  # 8 MB, freed at once
print(faults() - before)
"""


def _faults(how: str) -> int:
    # As Dask sets it for its workers.
    environment = os.environ | {"MALLOC_TRIM_THRESHOLD_": "65536", "PYTHONPATH": os.getcwd()}
    words = [sys.executable, "-c", SCRIPT.format(steps=STEPS), how]
    done = subprocess.run(words, capture_output=True, text=True, check=True, env=environment)
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator is that of Linux")
def test_a_step_that_allocates_what_the_last_one_freed_faults_no_pages():
    assert _faults("given back") > STEPS * PAGES * 3 / 4  # what it is good for
    assert _faults("kept") < STEPS * PAGES / 4
