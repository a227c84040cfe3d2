"""A sweep: one recipe varied over criteria, amounts, granularities and seeds, as a frozen, JSON-able value."""

import dataclasses
import functools
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from prunekit.core.cards import model_card
from prunekit.core.cuts import GRANULARITIES, TARGETS, check_fits, nearest
from prunekit.core.descriptions import scorer_description, scorer_descriptions
from prunekit.core.errors import BadSetting, NeedsData
from prunekit.core.fingerprint import fingerprint
from prunekit.core.language import _, ngettext
from prunekit.core.recipe import Recipe, bounds_in_words
from prunekit.core.settings import checked, from_plain, settings_of

# What every comparison needs: the simplest criterion, and none at all (Blalock et al., 2020, ask for both).
CONTROLS = ("magnitude", "random")
MOST_RUNS = 1000
AXES = {"scorers": "scorer", "amounts": "amount", "granularities": "granularity", "seeds": "seed"}


def shared_by(scorers: Sequence[str], granularities: Sequence[str], first: str = "") -> tuple[str, str] | None:
    """A criterion and a granularity that the base of a sweep can have: two of its own, of which the one has an answer
    for the other. None where there are none.

    first: the criterion to take if it can be. Channels come first, since only a recipe of channels can hold what they
    are rounded to.
    """
    known = scorer_descriptions()
    for scorer in sorted(scorers, key=lambda name: name != first):
        for granularity in sorted(granularities, key=lambda name: name != "channel"):
            if scorer in known and granularity in known[scorer].granularities:
                return scorer, granularity
    return None


@dataclass(frozen=True)
class Sweep:
    """All combinations of some criteria, amounts, granularities and seeds; the rest is as in `base`.

    amounts: fractions in [0, 1] of the base's target; controls: magnitude and random are always among the criteria;
    title: a name given by people, "" for one made of the plan. The knobs of `base` are those of its own criterion;
    the other criteria have their defaults. Raises BadSetting for what makes no sense, and NeedsData for a model without
    data.
    """

    base: Recipe
    scorers: tuple[str, ...]
    amounts: tuple[float, ...]
    granularities: tuple[str, ...]
    seeds: tuple[int, ...]
    controls: bool = True
    title: str = ""

    def __post_init__(self):
        settings = {s.name: s for s in settings_of(Recipe)}
        for axis, name in AXES.items():
            given = getattr(self, axis)
            if isinstance(given, str) or not isinstance(given, (list, tuple)):
                raise BadSetting(_("“{name}” in a sweep must be a list.").format(name=axis))
            if not given:
                sentence = _("A sweep needs at least one value for {what}.")
                raise BadSetting(sentence.format(what=_(settings[name].label)))
            values = tuple(dict.fromkeys(checked(settings[name], value) for value in given))
            object.__setattr__(self, axis, values)
        if self.base.target == "sparsity":
            amounts = tuple(dict.fromkeys(nearest(amount, self.base.scope) for amount in self.amounts))
            object.__setattr__(self, "amounts", amounts)
        if not isinstance(self.title, str) or not isinstance(self.controls, bool):
            raise BadSetting(_("A sweep's title is text, and its controls are yes or no."))
        if lack := model_card(self.base.model).lack_of_data():
            raise NeedsData(lack)
        check_fits(self.granularities, self.base.scope, self.base.target)
        own = self.base.overrides or self.base.locked
        if own and set(self.granularities) != {self.base.granularity}:
            raise BadSetting(
                _("Layers with a cut of their own belong to one granularity; clear them, or sweep over that one only.")
            )
        for scorer in self.scorers:
            scorer_description(scorer)  # raises UnknownName with the names that would do
        if not self._combinations():
            raise BadSetting(_("None of these criteria has an answer for these granularities."))
        count = len(self._combinations()) * len(self.amounts) * len(self.seeds)
        if count > MOST_RUNS:
            sentence = _("This sweep would be {n} runs; {most} are the most. Leave out amounts, criteria or seeds.")
            raise BadSetting(sentence.format(n=count, most=MOST_RUNS))
        for scorer, granularity in self._combinations():  # raises for what a criterion asks of the rest, such as epochs
            self.base.with_(scorer=scorer, granularity=granularity)

    @property
    def criteria(self) -> tuple[str, ...]:
        """The criteria that are run: those asked for, then the controls that are not among them."""
        more = tuple(name for name in CONTROLS if name not in self.scorers)
        return self.scorers + (more if self.controls else ())

    def recipes(self) -> tuple[Recipe, ...]:
        """One recipe a run, in the order in which they should run.

        Each part of the order makes the chart tell something early: all criteria at one amount, then the next amount,
        and everything with the first seed before the second.
        """
        return self._recipes

    @functools.cached_property
    def _recipes(self) -> tuple[Recipe, ...]:
        there = self._combinations()
        return tuple(
            self.base.with_(scorer=scorer, amount=amount, granularity=granularity, seed=seed)
            for seed in self.seeds
            for granularity in self.granularities
            for amount in self.amounts
            for scorer in self.criteria
            if (scorer, granularity) in there
        )

    def left_out(self) -> tuple[tuple[str, str], ...]:
        """The (criterion, granularity) pairs that are not run, because the criterion has no answer there."""
        there = self._combinations()
        return tuple((s, g) for g in self.granularities for s in self.criteria if (s, g) not in there)

    def _combinations(self) -> set[tuple[str, str]]:
        return {
            (scorer, granularity)
            for scorer in self.criteria
            for granularity in self.granularities
            if granularity in scorer_description(scorer).granularities
        }

    @functools.cached_property
    def fingerprint(self) -> str:
        """The same for sweeps of the same runs, in whatever order their values were given."""
        return fingerprint(sorted(recipe.fingerprint for recipe in self.recipes()))

    def name(self) -> str:
        """The title, or the plan in a few words."""
        if self.title:
            return self.title
        amounts = ", ".join(f"{100 * amount:.4g}" for amount in self.amounts)
        words = [
            ", ".join(self.criteria),
            " + ".join(_(GRANULARITIES[g]) for g in self.granularities),
            _("{amounts} % {what}").format(amounts=amounts, what=_(TARGETS[self.base.target])),
            ngettext("{n} seed", "{n} seeds", len(self.seeds)).format(n=len(self.seeds)),
            ngettext("{n} epoch", "{n} epochs", self.base.training.epochs).format(n=self.base.training.epochs),
            *bounds_in_words(self.base.round_to if "channel" in self.granularities else 1, self.base.floor),
            *self.base.training.words(),
        ]
        return " · ".join(words)

    def to_plain(self) -> dict:
        """The sweep as JSON-able values; `Sweep.from_plain` gives it back."""
        plain = {axis: list(getattr(self, axis)) for axis in AXES}
        return {"base": self.base.to_plain(), **plain, "controls": self.controls, "title": self.title}

    @classmethod
    def from_plain(cls, plain: Mapping) -> "Sweep":
        if not isinstance(plain, Mapping):
            raise BadSetting(_("A sweep must be a JSON object."))
        missing = [f.name for f in dataclasses.fields(cls) if f.default is dataclasses.MISSING and f.name not in plain]
        if missing:
            raise BadSetting(_("A sweep needs “{name}”.").format(name=missing[0]))
        return from_plain(cls, dict(plain) | {"base": Recipe.from_plain(plain["base"])})

    def command(self) -> str:
        """The command line that runs the sweep without the app."""
        base = self.base
        shared = shlex.split(base.command())[4:]
        left_out = {"--scorer", "--granularity", "--seed", "--target"}
        named = self.scorers
        if base.knobs and base.scorer in self.criteria:
            named = tuple(dict.fromkeys((base.scorer, *self.scorers)))
        else:  # its knobs mean nothing here
            left_out.add("--knob")
        while at := next((i for i, word in enumerate(shared) if word in left_out), None):
            del shared[at : at + 2]
        # Knobs belong to the first criterion that is named.
        scorers = sorted(named, key=lambda name: name != base.scorer)
        words = ["python", "-m", "prunekit", "sweep", "--target", base.target]
        words += ["--scorers", ",".join(scorers), "--amounts", ",".join(map(str, self.amounts))]
        words += ["--granularities", ",".join(self.granularities), "--seeds", ",".join(map(str, self.seeds))]
        return shlex.join([*words, *([] if self.controls else ["--no-controls"]), *shared])


def read_amounts(text: str, percent: bool = True) -> tuple[float, ...]:
    """Amounts as people type them, "30, 50, 70 %" or "0.3 0.5", as fractions.

    percent: whether a number without a sign is a percentage. A comma separates, but where semicolons do it is a decimal
    point. Raises BadSetting for what is no number, or outside of 0 to 100 %.
    """
    if ";" in text:
        text = text.replace(",", ".")
    found = []
    for word in re.findall(r"[^\s,;%]+\s*%?", text):
        sign, number = "%" in word, word.rstrip("% \t\n")
        try:
            value = float(number)
        except ValueError as error:
            sentence = _("“{word}” is no amount; write numbers with commas between them, such as {example}.")
            example = "30, 50, 70" if percent else "0.3,0.5,0.7"
            raise BadSetting(sentence.format(word=number, example=example)) from error
        fraction = round(value / 100, 8) if percent or sign else value
        if not 0 <= fraction <= 1:
            sentence = _("Amounts must be between {low} and {high}, not {given}.")
            low, high = ("0 %", "100 %") if percent or sign else ("0", "1")
            raise BadSetting(sentence.format(low=low, high=high, given=number))
        found.append(fraction)
    return tuple(dict.fromkeys(found))
