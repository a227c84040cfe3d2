"""Where data lies: the visitor's own data folder, and what is shipped."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "sample_models" / "data"


def data_folder() -> Path:
    """The folder of full data sets: the environment variable PRUNEKIT_DATA, else `data/` in the repository."""
    given = os.environ.get("PRUNEKIT_DATA")
    return Path(given).expanduser() if given else ROOT / "data"
