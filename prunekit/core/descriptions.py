"""What menus, cards and the glossary say of every scorer: read from JSON, so that the server needs no torch.

The file is written by `make shipped` from the scorer classes themselves; a test fails when it is stale.
"""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from prunekit.core.errors import UnknownName
from prunekit.core.language import _
from prunekit.core.own_scorers import own_descriptions
from prunekit.core.settings import Setting

COUPLING = ("reduction", "normalisation")
FILE = Path(__file__).with_name("scorers.json")


@dataclass(frozen=True)
class ScorerDescription:
    """A scorer in words. `needs` says what it looks at: "weights", or what takes data; `knobs` are its settings;
    `own` is the checksum of the file that it comes from, "" for those that come with prunekit.
    """

    name: str
    label: str
    formula: str
    help: str
    source: str
    needs: str
    granularities: tuple[str, ...]
    knobs: tuple[Setting, ...]
    own: str = ""

    @property
    def needs_training(self) -> bool:
        """Whether only a run has an answer, which trains before its first cut."""
        return self.needs == "history"

    @property
    def coupling(self) -> tuple[Setting, ...]:
        """Those of the knobs that say what becomes of several layers' scores of the same channel."""
        return tuple(knob for knob in self.knobs if knob.name in COUPLING)

    def told(self, knobs: Mapping) -> dict:
        """A value for each knob, as it is written down: without later ones that are at their default."""
        values = {knob: knobs.get(knob.name, knob.default) for knob in self.knobs}
        return {knob.name: value for knob, value in values.items() if not knob.is_silent(value)}

    def own_knobs(self, granularity: str) -> tuple[Setting, ...]:
        """The other knobs, as far as they make a difference at a granularity."""
        return tuple(k for k in self.knobs if k.name not in COUPLING and k.matters(granularity))


@functools.cache
def scorer_descriptions() -> dict[str, ScorerDescription]:
    """All scorers by name, in the order of the catalogue; people's own (see `core.own_scorers`) behind it."""
    plain = json.loads(FILE.read_text(encoding="utf-8")) + own_descriptions()
    return {d["name"]: _description(d) for d in plain}


def fitting_scorers(granularity: str, has_data: bool = True) -> dict[str, ScorerDescription]:
    """Those with an answer for a granularity, outside of a run; without data only those that look at weights alone."""
    known = {name: d for name, d in scorer_descriptions().items() if not d.needs_training}
    fits = {name: d for name, d in known.items() if granularity in d.granularities}
    return fits if has_data else {name: d for name, d in fits.items() if d.needs == "weights"}


def is_trained_first(scorer: str) -> bool:
    """Whether runs with a criterion train before their first cut; not, where it is not known any more."""
    known = scorer_descriptions().get(scorer)
    return known is not None and known.needs_training


def _description(plain: dict) -> ScorerDescription:
    kinds = {"int": int, "float": float, "str": str, "bool": bool}
    knobs = tuple(
        Setting(**k | {"kind": kinds[k["kind"]]} | {name: tuple(k[name]) for name in ("choices", "labels", "only")})
        for k in plain["knobs"]
    )
    return ScorerDescription(**plain | {"granularities": tuple(plain["granularities"]), "knobs": knobs})


def scorer_description(name: str) -> ScorerDescription:
    """One scorer. Raises UnknownName with the names that would do."""
    known = scorer_descriptions()
    if name not in known:
        raise UnknownName.of(_("criterion"), name, known)
    return known[name]
