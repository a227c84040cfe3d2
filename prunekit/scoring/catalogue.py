"""The catalogue of scorers: a new one is a class and a line here."""

from prunekit.core.errors import BadSetting, UnknownName
from prunekit.core.language import _
from prunekit.core.own_scorers import own_file, own_text
from prunekit.core.settings import settings_of
from prunekit.scoring.activations import Contribution, Entropy, Firing, SignalToNoise, Wanda
from prunekit.scoring.base import Scorer
from prunekit.scoring.errors import ErrorTerm, WeightedContribution
from prunekit.scoring.gradients import Combined, Fisher, Gradient, Grasp, OutputGradient, Snip, Taylor
from prunekit.scoring.history import MagnitudeIncrease, Movement
from prunekit.scoring.losses import MeasuredLoss
from prunekit.scoring.own import read_scorers
from prunekit.scoring.weights import (
    BatchNormScale,
    Deviation,
    GeometricMedian,
    Lamp,
    Magnitude,
    Random,
    Share,
    SynapticFlow,
)

BUILT_IN: dict[str, type[Scorer]] = {
    s.name: s
    for s in (
        Magnitude,
        Gradient,
        Taylor,
        Contribution,
        BatchNormScale,
        Share,
        Lamp,
        GeometricMedian,
        Deviation,
        SynapticFlow,
        Snip,
        Fisher,
        OutputGradient,
        Wanda,
        Firing,
        Entropy,
        Combined,
        Grasp,
        ErrorTerm,
        WeightedContribution,
        SignalToNoise,
        MeasuredLoss,
        Movement,
        MagnitudeIncrease,
        Random,
    )
}


# With those of a file of one's own, where one was named.
SCORERS = BUILT_IN | (read_scorers(own_file(), own_text(), set(BUILT_IN)) if own_text() else {})


def scorer_of(scorer: str | Scorer, **knobs) -> Scorer:
    """A scorer by its name and knobs, or the one given.

    Raises UnknownName with the names that would do, and BadSetting for a knob it does not have or a value outside its
    limits.
    """
    if isinstance(scorer, Scorer):
        if knobs:
            raise BadSetting(_("A scorer that is given as an object has its knobs already; give its name instead."))
        return scorer
    if scorer not in SCORERS:
        raise UnknownName.of(_("criterion"), str(scorer), SCORERS)
    known = [s.name for s in settings_of(SCORERS[scorer])]
    for knob in knobs:
        if knob not in known:
            sentence = _("The criterion {scorer} has no setting “{knob}”; its settings are: {known}.")
            raise BadSetting(sentence.format(scorer=scorer, knob=knob, known=", ".join(known) or "–"))
    return SCORERS[scorer](**knobs)
