"""`prunekit app`: opens the app in the browser."""

import socket
import subprocess
import sys

from prunekit.core.errors import BadSetting
from prunekit.core.language import N_, _
from prunekit.experiments.folder import ROOT

HELP = N_("Open the app in the browser.")
HOST = "127.0.0.1"
DEFAULT_PORT = 8501


def arguments(parser) -> None:
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help=_("port on 127.0.0.1 (default: 8501)"))
    parser.add_argument("--no-browser", action="store_true", help=_("only serve; do not open a browser"))


def run(options) -> None:
    """Serves until interrupted. Raises BadSetting when the port is taken."""
    check_port(options.port)
    words = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), "--server.address", HOST]
    words += ["--server.port", str(options.port)]
    if options.no_browser:  # otherwise Streamlit finds out whether there is one to open
        words += ["--server.headless", "true"]
    raise SystemExit(subprocess.call(words, cwd=ROOT))


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
