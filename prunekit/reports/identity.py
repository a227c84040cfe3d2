"""What makes runs belong together: the same recipe but for its seed, its amount or its criterion."""

import json
import shlex
from dataclasses import dataclass
from functools import lru_cache

from prunekit.core.errors import PrunekitError
from prunekit.core.fingerprint import canonical, fingerprint
from prunekit.core.recipe import Recipe


@dataclass(frozen=True)
class Identity:
    """What a recipe is, whatever its runs came to: kept, for it is asked of every run at every look."""

    recipe: Recipe | None  # None: of an older version, or of a model that is no longer there
    recipe_key: str  # the same for all its seeds
    line_key: str  # ... and amounts
    setting_key: str  # the same for all seeds and criteria
    command: str


def identity_of(recipe: dict) -> Identity:
    """The identity of a recipe as its run holds it (`Recipe.to_plain`), also of one that cannot be read any more."""
    return _read(canonical(recipe))


@lru_cache(maxsize=4096)
def _read(plain: str) -> Identity:
    fields = json.loads(plain)

    def key_without(*names: str) -> str:
        return fingerprint({name: value for name, value in fields.items() if name not in names})

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
        command=command,
    )
