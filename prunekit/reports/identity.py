"""What makes runs belong together: the same recipe but for its seed, its amount or its criterion, on the same data."""

import json
import shlex
from dataclasses import dataclass
from functools import lru_cache

from prunekit.core.errors import PrunekitError
from prunekit.core.fingerprint import canonical, fingerprint
from prunekit.core.recipe import Recipe
from prunekit.experiments.runs import Run


@dataclass(frozen=True)
class Identity:
    """What a run is, whatever it came to: kept, for it is asked of every run at every look.

    Runs on the full data and on the shipped part of it have no key in common.
    """

    recipe: Recipe | None  # None: of an older version, or of a model that is no longer there
    recipe_key: str  # the same for all seeds of a recipe
    line_key: str  # ... and amounts
    setting_key: str  # the same for all seeds and criteria
    subject_key: str  # the same for all recipes of a model
    command: str


def identity_of(run: Run) -> Identity:
    """The identity of a run, also of one whose recipe cannot be read any more."""
    return _read(canonical(run.recipe), (run.result or {}).get("validation_examples"))


@lru_cache(maxsize=4096)
def _read(plain: str, examples: int | None) -> Identity:
    fields = json.loads(plain)

    def key_without(*names: str) -> str:
        kept = {name: value for name, value in fields.items() if name not in names}
        return fingerprint([kept, examples])

    try:
        recipe = Recipe.from_plain(fields)
        command = recipe.command()
    except PrunekitError:
        recipe, command = None, shlex.join(["python", "-m", "prunekit", "prune", "--model", fields["model"]])
    return Identity(
        recipe,
        recipe_key=key_without("seed"),
        line_key=key_without("seed", "amount"),
        setting_key=key_without("seed", "scorer", "knobs"),
        subject_key=fingerprint([fields["model"], examples]),
        command=command,
    )
