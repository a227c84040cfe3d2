"""The recipe of a run: a frozen, JSON-able value from which the run can be repeated."""

import dataclasses
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from prunekit.core.cards import model_card
from prunekit.core.cuts import GRANULARITIES, SCOPES, TARGETS, Cut, check_fits, nearest
from prunekit.core.data_folder import PARTS, part_at_hand
from prunekit.core.descriptions import scorer_description
from prunekit.core.errors import BadSetting
from prunekit.core.fingerprint import fingerprint
from prunekit.core.language import N_, _, ngettext
from prunekit.core.own_scorers import own_file
from prunekit.core.schedules import SCHEDULE_DESCRIPTIONS
from prunekit.core.settings import check, checked, from_plain, in_words, setting, settings_of, told


@dataclass(frozen=True)
class Training:
    """How a network is trained or fine-tuned: the settings of the one training loop."""

    epochs: int = setting(3, N_("Epochs"), N_("Passes over the training data, shared out over the rounds."), 0, 1000, 1)
    learning_rate: float = setting(0.01, N_("Learning rate"), N_("Step size at the start of fine-tuning."), 1e-7, 10.0)
    optimizer: str = setting(
        "sgd", N_("Optimizer"), N_("SGD with momentum, or AdamW."), choices=("sgd", "adamw"), labels=("SGD", "AdamW")
    )
    decay: str = setting(
        "cosine",
        N_("Learning-rate decay"),
        N_("Cosine falls to zero over each round; constant stays."),
        choices=("cosine", "constant"),
        labels=(N_("cosine"), N_("constant")),
    )
    batch_size: int = setting(64, N_("Batch size"), N_("Examples per optimizer step."), 1, 65536, 1)
    momentum: float = setting(0.9, N_("Momentum"), N_("Of SGD; AdamW uses its own."), 0.0, 0.999)
    weight_decay: float = setting(5e-4, N_("Weight decay"), N_("Pull of all weights towards zero."), 0.0, 1.0)
    label_smoothing: float = setting(
        0.0, N_("Label smoothing"), N_("Share of each target spread over all classes."), 0.0, 0.9
    )
    distillation: float = setting(
        0.0,
        N_("Distillation"),
        N_("Share of the loss that asks for the untouched network's answers, not only for the right ones."),
        0.0,
        1.0,
        later=True,
    )
    temperature: float = setting(
        2.0,
        N_("Temperature"),
        N_("Of distillation: above 1, the classes that the untouched network thinks less likely count for more."),
        0.1,
        100.0,
        later=True,
    )
    augment: bool = setting(
        True,
        N_("Augmentation"),
        N_("Random shifts and flips, where the data set allows them, and holes where the network learned with some."),
    )
    precision: str = setting(
        "auto",
        N_("Precision"),
        N_("Auto measures float32 and bfloat16 for a moment and takes the faster one."),
        choices=("auto", "float32", "bfloat16"),
        labels=(N_("auto"), "float32", "bfloat16"),
    )

    def words(self) -> list[str]:
        """What tells it from plain fine-tuning, for titles."""
        if not (self.distillation and self.epochs):
            return []
        usual = self.temperature == type(self).temperature
        heat = "" if usual else _(" at temperature {t:g}").format(t=self.temperature)
        return [_("distillation {share:g}").format(share=self.distillation) + heat]

    def __post_init__(self):
        check(self)
        if not self.distillation:
            # One training, one name: without a teacher its temperature would change the fingerprint and nothing else.
            object.__setattr__(self, "temperature", type(self).temperature)


@dataclass(frozen=True)
class Recipe:
    """Everything a pruning run depends on. Raises BadSetting or UnknownName when it makes no sense.

    `amount` is the fraction to take away of what `target` counts: 0.5 of the parameters means half of them gone.
    `overrides` gives single layers (or groups) a sparsity of their own, `locked` leaves them whole.
    """

    model: str = "lenet-fashion"
    data: str = ""
    scorer: str = setting("taylor", N_("Criterion"), N_("How the importance of weights and units is scored."))
    knobs: Mapping = field(default_factory=dict)
    granularity: str = setting(
        "channel",
        N_("Granularity"),
        N_(
            "Weights, kernels (what a filter applies to one input), rows (all weights of one output) and tiles (4 × 4 "
            "neighbours in the weight matrix) become zeros; channels are really removed."
        ),
        choices=tuple(GRANULARITIES),
        labels=tuple(GRANULARITIES.values()),
    )
    scope: str = setting(
        "global",
        N_("Scope"),
        N_(
            "Global ranks all layers together, isomorphic those of one kind (such as the insides of all blocks); "
            "layer takes the same fraction of each, ERK a smaller one of small layers, N:4 and N:8 the same number of "
            "each 4 or 8 neighbouring inputs: half of them is 2:4 or 4:8 sparsity."
        ),
        choices=tuple(SCOPES),
        labels=tuple(SCOPES.values()),
    )
    target: str = setting(
        "sparsity",
        N_("Target"),
        N_("What the amount counts: units of the granularity, parameters, MACs or bytes of the file."),
        choices=tuple(TARGETS),
        labels=tuple(TARGETS.values()),
    )
    amount: float = setting(0.5, N_("Amount"), N_("Fraction of the target to take away."), 0.0, 1.0, 0.01, percent=True)
    overrides: Mapping[str, float] = field(default_factory=dict)
    locked: tuple[str, ...] = ()
    round_to: int = setting(
        1,
        N_("Round channels to"),
        N_("The channels that stay in a layer become a multiple: processors compute 64 in less time than 61."),
        choices=(1, 4, 8, 16, 32),
        labels=(
            N_("any number"),
            N_("multiples of 4"),
            N_("multiples of 8"),
            N_("multiples of 16"),
            N_("multiples of 32"),
        ),
        later=True,
    )
    floor: int = setting(
        1,
        N_("Keep at least"),
        N_("So many units of each layer stay, however low they score."),
        1,
        1_000_000,
        1,
        later=True,
    )
    schedule: str = setting(
        "one-shot",
        N_("Schedule"),
        N_("All at once, or a little at a time with fine-tuning in between."),
        choices=tuple(d.name for d in SCHEDULE_DESCRIPTIONS),
        labels=tuple(d.label for d in SCHEDULE_DESCRIPTIONS),
    )
    rounds: int = setting(3, N_("Rounds"), N_("Score-cut-tune turns of the iterative schedule."), 1, 100, 1)
    calibration: int = setting(
        512, N_("Calibration examples"), N_("Training examples that data-driven criteria look at."), 1, 100_000, 1
    )
    training: Training = field(default_factory=Training)
    seed: int = setting(0, N_("Seed"), N_("Makes the run repeatable."), 0, 2**31 - 1, 1)

    def __post_init__(self):
        for name in (self.model, self.data):
            if not isinstance(name, str):
                raise BadSetting(_("A model or data set is given by its name, not “{given}”.").format(given=name))
        if not self.data:
            object.__setattr__(self, "data", model_card(self.model).data)
        if self.schedule == "one-shot":
            # One recipe, one name: the rounds of a one-shot run would change its fingerprint and nothing else.
            object.__setattr__(self, "rounds", 1)
        if isinstance(self.locked, str) or not all(isinstance(name, str) for name in self.locked):
            raise BadSetting(_("Locked layers must be a list of names, not “{given}”.").format(given=self.locked))
        object.__setattr__(self, "locked", tuple(sorted(set(self.locked))))
        check(self)
        if self.granularity != "channel":
            object.__setattr__(self, "round_to", 1)  # zeros make no tensor smaller
        check_fits({self.granularity}, self.scope, self.target)
        if self.target == "sparsity":  # one cut, one name
            object.__setattr__(self, "amount", nearest(self.amount, self.scope))
        self.cut(0.0)  # raises for an override outside [0, 1]
        object.__setattr__(self, "overrides", {name: float(own) for name, own in self.overrides.items()})
        self._check_scorer()

    def _check_scorer(self):
        scorer = scorer_description(self.scorer)
        if self.granularity not in scorer.granularities:
            sentence = _("The criterion {scorer} has no answer for granularity “{given}”; it knows: {known}.")
            known = ", ".join(scorer.granularities)
            raise BadSetting(sentence.format(scorer=_(scorer.label), given=self.granularity, known=known))
        if scorer.needs_training and self.training.epochs <= self.rounds:
            sentence = _(
                "{scorer} looks at how weights move in training: give the run {n} epochs at least, one before each "
                "cut and one after the last."
            )
            raise BadSetting(sentence.format(scorer=_(scorer.label), n=self.rounds + 1))
        settings = {s.name: s for s in scorer.knobs}
        for knob in self.knobs:
            if knob not in settings:
                sentence = _("The criterion {scorer} has no setting “{knob}”; its settings are: {known}.")
                known = ", ".join(settings) or "–"
                raise BadSetting(sentence.format(scorer=_(scorer.label), knob=knob, known=known))
        # A knob that is left out and one at its default are the same recipe.
        knobs = {name: checked(s, self.knobs.get(name, s.default)) for name, s in settings.items()}
        # Nor does what makes no difference; but of settings that there were always some runs are told apart by it.
        knobs |= {s.name: s.default for s in scorer.knobs if s.later and not s.matters(self.granularity)}
        object.__setattr__(self, "knobs", scorer.told(knobs))

    def cut(self, sparsity: float) -> Cut:
        """The cut at one sparsity, with this recipe's scope, overrides, locks and bounds."""
        return Cut(sparsity, self.scope, dict(self.overrides), frozenset(self.locked), self.round_to, self.floor)

    def to_plain(self) -> dict:
        """The recipe as JSON-able values; `Recipe.from_plain` gives it back."""
        return told(self) | {"training": told(self.training), "locked": list(self.locked)}

    @classmethod
    def from_plain(cls, plain: Mapping) -> "Recipe":
        if not isinstance(plain, Mapping):
            raise BadSetting(_("A recipe must be a JSON object."))
        for name in ("training", "knobs", "overrides"):
            if not isinstance(plain.get(name, {}), Mapping):
                raise BadSetting(_("“{name}” in a recipe must be a JSON object.").format(name=name))
        if not isinstance(plain.get("locked", []), (list, tuple)):
            raise BadSetting(_("“{name}” in a recipe must be a list.").format(name="locked"))
        training = from_plain(Training, dict(plain.get("training", {})))
        return from_plain(cls, dict(plain) | {"training": training, "locked": tuple(plain.get("locked", ()))})

    @property
    def fingerprint(self) -> str:
        """The same for the same recipe on the same weights and the data at hand, on every machine."""
        return self.fingerprint_on(part_at_hand(self.data))

    def fingerprint_on(self, part: str) -> str:
        """That of the recipe on one of PARTS of its data."""
        card = model_card(self.model)
        # Cutout came later than the first histories: where it changes nothing their fingerprints stay.
        erases = card.erase and self.training.augment and self.training.epochs
        more = [{"erase": card.erase}] if erases else []
        if own := scorer_description(self.scorer).own:
            more.append({"scorers": own})
        return fingerprint([self.to_plain(), card.checksum, part, *more])

    def part_of(self, known: str) -> str | None:
        """The part of its data that a run of this recipe was asked for on, by the fingerprint that it had then.

        None when that is of other weights, or of another version.
        """
        return next((part for part in PARTS if self.fingerprint_on(part) == known), None)

    def title(self) -> str:
        """The recipe in a few words, for charts and tables."""
        asked = f"{100 * self.amount:.4g} % {_(TARGETS[self.target])}"
        words = [self.scorer, _(GRANULARITIES[self.granularity]), asked, _(self.schedule)]
        if own := len(self.overrides) + len(self.locked):
            words.append(ngettext("{n} layer by hand", "{n} layers by hand", own).format(n=own))
        words += bounds_in_words(self.round_to, self.floor)
        words.append(ngettext("{n} epoch", "{n} epochs", self.training.epochs).format(n=self.training.epochs))
        words += self.training.words()
        if self.seed:
            words.append(_("seed {seed}").format(seed=self.seed))
        return " · ".join(words)

    def with_(self, **changes) -> "Recipe":
        """A copy with some fields changed; another criterion starts with its own knobs, unless they are given too."""
        if changes.get("scorer", self.scorer) != self.scorer:
            changes = {"knobs": {}} | changes
        return dataclasses.replace(self, **changes)

    def command(self) -> str:
        """The command line that repeats this run."""
        words = ["python", "-m", "prunekit", "prune", "--model", self.model]
        for s in settings_of(self):
            if s.name in ("target", "amount") or (s.name == "rounds" and self.schedule == "one-shot"):
                continue
            words += ["--" + s.name.replace("_", "-"), str(getattr(self, s.name))]
        words += ["--target", f"{self.target}={self.amount}"]
        for s in settings_of(self.training):
            given = getattr(self.training, s.name)
            if s.kind is bool:
                words.append(f"--{'' if given else 'no-'}{s.name}".replace("_", "-"))
            else:
                words += ["--" + s.name.replace("_", "-"), str(given)]
        if scorer_description(self.scorer).own:
            words += ["--scorer-file", own_file()]
        for name, given in self.knobs.items():
            words += ["--knob", f"{name}={given}"]
        for name, sparsity in self.overrides.items():
            words += ["--override", f"{name}={sparsity}"]
        for name in self.locked:
            words += ["--lock", name]
        return shlex.join(words)


def bounds_in_words(round_to: int, floor: int) -> list[str]:
    """What else decides how many units stay, beside the scores; nothing where that is as usual."""
    setting = next(s for s in settings_of(Recipe) if s.name == "round_to")
    words = [in_words(setting, round_to)] if round_to > 1 else []
    return words + ([_("at least {n} a layer").format(n=floor)] if floor > 1 else [])
