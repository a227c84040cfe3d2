"""Serves the app over an in-process toy engine: `python toy_app.py PORT ROWS`."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from streamlit.web import bootstrap  # noqa: E402

import prunekit.ui.engine as ui_engine  # noqa: E402
from tests.toy_engine import ToyEngine  # noqa: E402

if __name__ == "__main__":
    port, rows = int(sys.argv[1]), int(sys.argv[2])
    toy = ToyEngine(rows)
    ui_engine.engine = lambda: toy
    options = {"server.port": port, "server.headless": True, "browser.gatherUsageStats": False}
    bootstrap.load_config_options({name.replace(".", "_"): value for name, value in options.items()})
    bootstrap.run(str(ROOT / "app.py"), False, [], {})
