"""What questions are about, kept for the next one: networks, their scores, the examples to judge them on.

Read-only and shared by everyone who asks: nothing here is ever changed or handed out.
"""

import functools
import time

import psutil
import torch

from prunekit.core.amounts import compact, size
from prunekit.core.cards import ModelCard, model_card
from prunekit.core.data_folder import part_at_hand
from prunekit.core.errors import CannotScore, NeedsData, PrunekitError
from prunekit.core.language import _, ngettext
from prunekit.core.settings import settings_of
from prunekit.data import Split, calibration_set, load_dataset
from prunekit.experiments.processes import ANSWERS
from prunekit.experiments.recent import recent
from prunekit.models import load_model
from prunekit.models.published import fetched_or_later
from prunekit.pruning.scan import BATCH, Scan
from prunekit.scoring import SCORERS, Scorer, Scores, score, scorer_of
from prunekit.structure import channel_groups
from prunekit.structure.groups import Group

PREVIEW_EXAMPLES = 1000
MEASURING_SECONDS = 30  # the longest that measuring a loss for each unit may keep others from their answers
MOST_BYTES = 2**30  # of networks, and of scores, that are kept for the next question

# Measured while all weights of VGG-16 (138 M) are ranked: 3.4 GB at the peak, 0.75 of them without any network.
OWN_BYTES, BYTES_PER_PARAMETER = 750_000_000, 20


def scores_of(model_id: str, scorer: str, knobs: dict, *question) -> Scores:
    """The scores of a criterion. question: granularity, seed and size of the calibration set."""
    part = part_at_hand(model_card(model_id).data)
    return _scores_on(part, model_id, scorer, tuple(sorted(knobs.items())), *question)


def preview_split(model_id: str) -> Split:
    """The part of the validation set that previews are measured on."""
    return _preview_split_of(part_at_hand(model_card(model_id).data), model_id)


def scan_of(model_id: str) -> Scan:
    """What tells the metric of a model and of variants of it on those examples."""
    return _scan_on(part_at_hand(model_card(model_id).data), model_id)


@recent(lambda model: sum(p.nbytes for p in model.parameters()), MOST_BYTES)
def model_of(model_id: str) -> torch.nn.Module:
    """The network of a card. Raises PrunekitError where it would not fit into memory."""
    card = model_card(model_id)
    _check_fits(card)
    if card.weights_from == "download":
        # Beside the answers, which would all wait for it.
        fetched_or_later(card)
    return load_model(model_id).requires_grad_(False)


@recent(lambda groups: sum(m.positions.nbytes for group in groups for m in group.members), MOST_BYTES)
def groups_of(model_id: str) -> tuple[Group, ...]:
    """The channel groups of a model. Raises CannotPrune where it cannot be traced."""
    return channel_groups(model_of(model_id))


# What depends on the data is kept for the part of it that was there: the full set may arrive while this worker runs.
@recent(lambda scores: sum(entry.nbytes for entry in scores.values()), MOST_BYTES)
def _scores_on(part: str, model_id: str, scorer: str, knobs: tuple, granularity: str, seed: int, calibration: int):
    card = model_card(model_id)
    examples = None
    if scorer in SCORERS and SCORERS[scorer].needs != "weights":
        check_has_data(card)
        if calibration < 1:
            sentence = _("The criterion “{scorer}” looks at data; give it a calibration set.")
            raise NeedsData(sentence.format(scorer=scorer))
        examples = calibration_set(load_dataset(card.data), calibration, seed)
        if SCORERS[scorer].needs == "losses":
            _check_soon_measured(model_id, examples, scorer_of(scorer, **dict(knobs)))
    return score(
        model_of(model_id),
        scorer,
        granularity=granularity,
        calibration=examples,
        task=card.task,
        seed=seed,
        groups=groups_of(model_id) if granularity == "channel" else None,
        **dict(knobs),
    )


@functools.lru_cache(maxsize=8)
def _preview_split_of(part: str, model_id: str):
    validation = load_dataset(model_card(model_id).data).validation
    return validation.subset(min(PREVIEW_EXAMPLES, len(validation)), seed=0)


# Four models, for previews come by turns. It may remember what the layers before one in question answer, some 70 MB.
@functools.lru_cache(maxsize=4)
def _scan_on(part: str, model_id: str) -> Scan:
    examples = _preview_split_of(part, model_id).batches(BATCH)
    return Scan(model_of(model_id), examples, model_card(model_id).task, functools.partial(groups_of, model_id))


def _check_fits(card: ModelCard) -> None:
    """Refuses what would end the worker, and with it the answers that others wait for."""
    limit = psutil.virtual_memory().total * ANSWERS.memory
    needed = OWN_BYTES + BYTES_PER_PARAMETER * card.parameters
    if needed > limit:
        sentence = _(
            "{model} has {n} parameters: looking into it takes about {needed} of memory, and on this machine there "
            "are {limit} for it; take a smaller one."
        )
        told = {"n": compact(card.parameters), "needed": size(needed), "limit": size(limit)}
        raise PrunekitError(sentence.format(model=_(card.title), **told))


def _check_soon_measured(model_id: str, batches: list, scorer: Scorer) -> None:
    """Refuses to run a network once for each of its channels where others would wait too long for their answers."""
    model, examples = model_of(model_id), scorer.examples
    units = sum(group.units for group in groups_of(model_id) if group.prunable)
    inputs = batches[0][0][:examples]
    with torch.no_grad():
        model(inputs)  # chooses kernels, fetches memory
        before = time.perf_counter()
        model(inputs)
        once = (time.perf_counter() - before) * min(examples, sum(len(x) for x, _y in batches)) / len(inputs)
    if units * once > MEASURING_SECONDS:
        minutes = max(round(units * once / 60), 1)
        sentence = ngettext(
            "To read the loss without each of {units} channels takes about {n} minute here, while others wait. "
            "A run on Prune has the time",
            "To read the loss without each of {units} channels takes about {n} minutes here, while others wait. "
            "A run on Prune has the time",
            minutes,
        ).format(units=units, n=minutes)
        few = int(examples * MEASURING_SECONDS / (units * once))
        if few >= next(s.low for s in settings_of(scorer) if s.name == "examples"):
            sentence += _("; here take at most {few} examples").format(few=few)
        raise CannotScore(sentence + ".")


def check_has_data(card: ModelCard) -> None:
    """Raises NeedsData for a model without a data set here."""
    if lack := card.lack_of_data():
        raise NeedsData(lack)
