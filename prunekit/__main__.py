"""The command line: `python -m prunekit models|data|score|prune|sweep|profile|app`."""

import sys

from prunekit.commands import main

if __name__ == "__main__":
    sys.exit(main())
