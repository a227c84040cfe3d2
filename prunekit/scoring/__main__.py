"""`python -m prunekit.scoring FILE`: what the scorers of a person's own file are, as one line of JSON."""

import json
import sys
from pathlib import Path

from prunekit.core.errors import PrunekitError
from prunekit.scoring.catalogue import BUILT_IN
from prunekit.scoring.describe import describe
from prunekit.scoring.own import read_scorers

try:
    answer = {"scorers": describe(read_scorers(Path(sys.argv[1]), set(BUILT_IN)))}
except PrunekitError as refused:
    answer = {"refused": str(refused)}
print(json.dumps(answer))
