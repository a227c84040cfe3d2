"""The command line: `python -m prunekit models|data|score|sensitivity|prune|sweep|profile|app`."""

import sys

from prunekit.commands import main
from prunekit.core.threads import share_cores

if __name__ == "__main__":
    share_cores()
    sys.exit(main())
