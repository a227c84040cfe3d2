"""Scores, and the one function that makes them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import torch
from torch import nn

from prunekit.core.cuts import ZEROED
from prunekit.core.errors import CannotScore, NeedsData
from prunekit.core.language import _
from prunekit.core.tasks import CLASSIFICATION, Task
from prunekit.scoring.base import Scorer
from prunekit.scoring.catalogue import scorer_of
from prunekit.scoring.observing import observations
from prunekit.scoring.running import Calibration
from prunekit.structure.groups import Group, channel_groups
from prunekit.structure.kinds import group_kinds, weight_kinds
from prunekit.structure.parts import Parts, no_parts, weight_parts
from prunekit.structure.tracing_copy import tracing_copy
from prunekit.structure.weights import weight_names


class Scores(Mapping[str, torch.Tensor]):
    """How much each unit matters; higher matters more. Read-only.

    Granularity "weight" has one entry for each weight tensor, named after the parameter ("conv1.weight") and of its
    shape; "kernel", "row" and "tile" have one for each tensor that has some, of the shape (outputs, inputs), (outputs,)
    or (outputs / 4, everything else / 4); "channel" one 1-D entry for each prunable channel group, named after the
    group ("conv1"). All are finite float32. scorer: the name of the scorer; kinds: each entry's kind, by which the
    scope "isomorphic" ranks.
    """

    def __init__(
        self, entries: Mapping[str, torch.Tensor], granularity: str, scorer: str, kinds: Mapping[str, str] | None = None
    ):
        self._entries = dict(entries)
        self.granularity = granularity
        self.scorer = scorer
        self.kinds = None if kinds is None else dict(kinds)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each entry, by which some scopes share sparsity out."""
        return {name: tuple(entry.shape) for name, entry in self.items()}

    def __getitem__(self, name: str) -> torch.Tensor:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        rows = ", ".join(f"{name}: {tuple(entry.shape)}" for name, entry in self.items())
        return f"Scores({self.scorer}, {self.granularity}: {rows})"


# Whoever asks from within inference mode gets gradients all the same.
@torch.inference_mode(False)
def score(
    model: nn.Module,
    scorer: str | Scorer,
    *,
    granularity: str = "weight",
    example_inputs=None,
    calibration: Iterable | None = None,
    task: Task | None = None,
    seed: int = 0,
    should_stop: Callable[[], bool] = lambda: False,
    groups: Sequence[Group] | None = None,
    history: Mapping[str, Mapping[str, torch.Tensor]] | None = None,
    **knobs,
) -> Scores:
    """The scores of all units that can be pruned in a network at a granularity, in its order; see `Scores`.

    scorer: a name of `SCORERS` with its knobs, or a `Scorer`; example_inputs: a batch to find the channel groups with,
    and what flows (guessed where it is missing); calibration: an iterable of (inputs, targets) batches, for scorers
    that need data, whose batches count by their examples; task: names the loss of gradients, classification unless told
    otherwise; seed: of what is drawn at random; should_stop(): asked before each batch; groups: the channel groups of
    this model, where they are known; history: for scorers that look at a training, "start": parameter name -> what it
    was before, and "pull": name -> the sum of -w ∂L/∂w over its steps.

    The model is seen in eval mode and left as it is: weights, gradients, statistics, mode, hooks. Raises UnknownName,
    BadSetting, NeedsData without a calibration set (never another scorer instead), Stopped, and CannotScore where the
    scorer has no answer or one that is not finite.
    """
    scorer = scorer_of(scorer, **knobs)
    if granularity not in scorer.answers():
        raise CannotScore(
            _("{scorer} scores {known}, not {given}; choose another criterion or granularity.").format(
                scorer=_(scorer.label), known=", ".join(scorer.answers()), given=granularity
            )
        )
    if scorer.needs == "history" and history is None:
        sentence = _("{scorer} looks at how weights move in a training, so only a run has an answer.")
        raise NeedsData(sentence.format(scorer=_(scorer.label)))
    if scorer.needs not in ("weights", "history") and calibration is None:
        raise _needs_data(scorer)
    twin = tracing_copy(model)
    layers = weight_names(model)
    rows = _parts(model, granularity) if granularity in ZEROED else _prunable(model, example_inputs, groups)
    given = Calibration(() if calibration is None else calibration, task or CLASSIFICATION, should_stop)
    totals: dict[str, torch.Tensor] = {}
    seen = 0
    # A network that draws lots even in eval mode draws the same ones each time, and leaves everybody else's alone.
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        for observation, examples in observations(twin, layers, scorer, given, seed, example_inputs, history):
            seen += examples
            for name, row in rows.items():
                if granularity == "weight":
                    found = scorer.of_weights(observation, name)
                elif granularity in ZEROED:
                    found = scorer.of_parts(observation, name, row)
                else:
                    found = scorer.of_units(observation, row)
                # The running mean: no second copy of everything, and a single observation stays exact.
                totals[name] = found + 0 if name not in totals else totals[name].lerp_(found, examples / seen)
    if not seen:
        raise _needs_data(scorer)
    for name, entry in totals.items():
        # The ends tell of all: a NaN is both. One pass without a tensor of its own, for 138 M scores 0.6 s less.
        if entry.numel() and not all(end.isfinite() for end in torch.aminmax(entry)):
            sentence = _("{scorer} gives {layer} scores that are not finite; look for such values in weights and data.")
            raise CannotScore(sentence.format(scorer=_(scorer.label), layer=name))
    if granularity == "channel":
        totals = {name: scorer.normalised(entry) for name, entry in totals.items()}
    kinds = weight_kinds(twin) if granularity in ZEROED else group_kinds(twin, rows.values())
    return Scores(totals, granularity, scorer.name, {name: kinds[name] for name in totals})


def _needs_data(scorer: Scorer) -> NeedsData:
    sentence = _("{scorer} looks at data: give it a calibration set of at least one batch.")
    return NeedsData(sentence.format(scorer=_(scorer.label)))


def _parts(model: nn.Module, granularity: str) -> dict[str, Parts]:
    parts = weight_parts(model, granularity)
    if not parts and weight_names(model):
        raise CannotScore(no_parts(granularity))
    return parts


def _prunable(model: nn.Module, example_inputs, groups: Sequence[Group] | None) -> dict[str, Group]:
    groups = channel_groups(model, example_inputs) if groups is None else groups
    prunable = {group.name: group for group in groups if group.prunable}
    if not prunable:
        why = groups[0].problem if groups else _("It has no convolution or linear layer.")
        raise CannotScore(_("This network has no channels that can be pruned. {why}").format(why=why))
    return prunable
