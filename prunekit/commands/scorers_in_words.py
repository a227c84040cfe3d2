"""`python -m prunekit.commands.scorers_in_words`: people's own scorers (see `core.own_scorers`), a line of JSON."""

import json

from prunekit.core.errors import PrunekitError

try:
    from prunekit.scoring.catalogue import BUILT_IN, SCORERS
    from prunekit.scoring.describe import describe

    answer = {"scorers": describe({name: kind for name, kind in SCORERS.items() if name not in BUILT_IN})}
except PrunekitError as refused:
    answer = {"refused": str(refused)}
print(json.dumps(answer))
