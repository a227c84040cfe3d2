"""Serves the app over the recorder's own functions in this process, where nothing is trained: `python ... PORT`."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from streamlit.web import bootstrap  # noqa: E402

import prunekit.ui.engine as ui_engine  # noqa: E402
from prunekit.experiments import recorder  # noqa: E402
from prunekit.experiments.folder import home  # noqa: E402
from tests.pages.in_process_engine import InProcessEngine  # noqa: E402
from tests.recorder_alone import IdleLane  # noqa: E402

if __name__ == "__main__":
    here = InProcessEngine(home())
    ui_engine.engine = lambda: here
    recorder.lane = IdleLane
    options = {"server.port": int(sys.argv[1]), "server.headless": True, "browser.gatherUsageStats": False}
    bootstrap.load_config_options({name.replace(".", "_"): value for name, value in options.items()})
    bootstrap.run(str(ROOT / "app.py"), False, [], {})
