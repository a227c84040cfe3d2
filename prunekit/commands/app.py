"""`prunekit app`: opens the app in the browser."""

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import webbrowser

from prunekit.core.errors import BadSetting, StoreUnavailable
from prunekit.core.language import N_, _
from prunekit.experiments.folder import ROOT, home, make_writable, refusal

HELP = N_("Open the app in the browser.")
HOST = "127.0.0.1"
DEFAULT_PORT = 8501


def arguments(parser) -> None:
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help=_("port on 127.0.0.1 (default: 8501)"))
    parser.add_argument("--no-browser", action="store_true", help=_("only serve; do not open a browser"))


def run(options) -> None:
    """Serves until interrupted. Raises BadSetting when the port is taken, StoreUnavailable for a home out of reach."""
    check_port(options.port)
    check_home()
    words = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), "--server.address", HOST]
    words += ["--server.port", str(options.port)]
    if not options.no_browser:
        # Streamlit's own way of opening it brings its advertisements along.
        threading.Thread(target=_open_when_there, args=(f"http://{HOST}:{options.port}",), daemon=True).start()
    raise SystemExit(subprocess.call(words, cwd=ROOT))


def _open_when_there(url: str) -> None:
    for _turn in range(300):
        try:
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=2).close()
        except OSError:
            time.sleep(0.1)
        else:
            if sys.platform != "linux" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
                webbrowser.open(url)
            return


def check_home() -> None:
    """Raises StoreUnavailable with a sentence unless the home folder can be written to."""
    try:
        make_writable(home())
    except OSError as error:
        raise StoreUnavailable(refusal(error, home())) from error


def check_port(port: int) -> None:
    """Raises BadSetting with a sentence unless the app could listen on `port`."""
    if not 1 <= port <= 65535:
        raise BadSetting(_("A port is a number from 1 to 65535, not {port}.").format(port=port))
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError as error:
            raise BadSetting(
                _("Port {port} may not be used; choose one above 1024 with --port.").format(port=port)
            ) from error
        except OSError as error:
            sentence = _("Port {port} is in use; close what uses it, or choose another with --port {other}.")
            raise BadSetting(sentence.format(port=port, other=port + 1)) from error
