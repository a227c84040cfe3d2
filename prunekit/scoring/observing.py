"""Runs a network on a calibration set for what a scorer asks to see."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping

import torch
from torch import nn

from prunekit.core.errors import CannotScore
from prunekit.core.language import _
from prunekit.core.tasks import Task
from prunekit.scoring.activity import Activity, gathered
from prunekit.scoring.backflow import backflow
from prunekit.scoring.base import Scorer
from prunekit.scoring.disturbance import answers_to_disturbance
from prunekit.scoring.observation import Observation
from prunekit.scoring.running import Calibration, drawn_sum, examples_in, first, loss_of, pair, run, singly, used
from prunekit.structure.tracing_copy import first_line

Found = dict[str, torch.Tensor]


def observations(
    model: nn.Module,
    layers: Mapping[str, str],
    scorer: Scorer,
    calibration: Calibration,
    seed: int,
    example_inputs=None,
    history: Mapping[str, Found] | None = None,
) -> Iterator[tuple[Observation, int]]:
    """What a scorer gets to see by its `needs`, each time with the number of examples behind it.

    model: a tracing copy. Raises BadSetting for a batch that is no (inputs, targets) pair, and CannotScore when the
    network or the loss does not take it.
    """
    weights = {name: model.get_parameter(name).detach().float() for name in layers}
    plain = Observation(model, layers, weights, history=history or {}, seed=seed, example_inputs=example_inputs)
    yield from LOOKS[scorer.needs](plain, scorer, calibration)


def _weights(plain: Observation, _scorer: Scorer, _calibration: Calibration):
    yield plain, 1


def _gradients(plain: Observation, scorer: Scorer, calibration: Calibration):
    """Of each batch or example, or of all of them together: as the scorer's `each` says."""

    def on(inputs, targets) -> tuple[Found, int]:
        return _gradients_on(plain, inputs, targets, calibration.task, scorer.of), examples_in(inputs, targets)

    pairs = calibration.pairs()
    if scorer.each != "set":
        for inputs, targets in singly(pairs) if scorer.each == "example" else pairs:
            gradients, examples = on(inputs, targets)
            yield dataclasses.replace(plain, gradients=gradients), examples
        return
    # Held where they are gone through again: another look may find others.
    held = list(pairs) if scorer.curved else []
    gradients, seen = _averaged(on(*both) for both in (map(pair, held) if scorer.curved else pairs))
    if not seen:
        return
    whole = dataclasses.replace(plain, gradients=gradients)
    if scorer.curved:
        turned, _seen = _averaged(_along_curvature(whole, *both, calibration) for both in map(pair, held))
        whole = dataclasses.replace(whole, curved=turned)
    yield whole, seen


def _gradients_on(plain: Observation, inputs, targets, task: Task, of: str) -> Found:
    weights = [plain.model.get_parameter(name) for name in plain.layers]
    with torch.enable_grad():
        outputs = run(plain.model, inputs)
        value = loss_of(outputs, targets, task) if of == "loss" else drawn_sum(outputs)
        # autograd.grad, not backward(): no .grad is touched.
        found = torch.autograd.grad(value, weights, allow_unused=True)
    return _as_floats(plain, found)


def _along_curvature(seen: Observation, inputs, targets, calibration: Calibration) -> tuple[Found, int]:
    """The Hessian of the batch's loss times the mean gradient over all batches."""
    calibration.ask()
    weights = [seen.model.get_parameter(name) for name in seen.layers]
    with torch.enable_grad():
        loss = loss_of(run(seen.model, inputs), targets, calibration.task)
        slopes = torch.autograd.grad(loss, weights, create_graph=True, allow_unused=True)
        bent = [(s * seen.gradients[n]).sum() for n, s in zip(seen.layers, slopes, strict=True) if s is not None]
        bent = [one for one in bent if one.requires_grad]  # those of a loss that is a plane are constant
        try:
            found = torch.autograd.grad(sum(bent), weights, allow_unused=True) if bent else [None] * len(weights)
        except (RuntimeError, NotImplementedError) as error:
            sentence = _("This network has no second derivatives: {reason}")
            raise CannotScore(sentence.format(reason=first_line(error))) from error
    return _as_floats(seen, found), examples_in(inputs, targets)


def _as_floats(plain: Observation, found: Iterable[torch.Tensor | None]) -> Found:
    """By weight tensor; zeros where nothing depends on it."""
    pairs = zip(plain.weights.items(), found, strict=True)
    return {name: torch.zeros_like(w) if g is None else g.detach().float() for (name, w), g in pairs}


def _averaged(parts: Iterable[tuple[Found, int]]) -> tuple[Found, int]:
    """The mean over all examples, and how many there are."""
    mean: Found = {}
    seen = 0
    for found, examples in parts:
        seen += examples
        # Not in place: autograd may have given the same tensor for two weights.
        mean = {name: mean[name].lerp(value, examples / seen) for name, value in found.items()} if mean else found
    return mean, seen


def _activations(plain: Observation, scorer: Scorer, calibration: Calibration):
    """One observation of all batches, if there are any."""
    model, examples = plain.model, 0
    with gathered(model, dict.fromkeys(plain.layers.values()), scorer.behind) as found, torch.no_grad():
        for inputs, targets in calibration.pairs():
            run(model, inputs)
            examples += examples_in(inputs, targets)
    if not examples:
        return
    into, out = ({layer: one.whole() for layer, one in side.items() if one.count} for side in found)
    _check_finite(into | out)
    yield dataclasses.replace(plain, inputs=into, outputs=out, unseen=_unseen(plain, into, inputs)), examples


def _disturbances(plain: Observation, scorer: Scorer, calibration: Calibration):
    """One observation of all batches and of what happens to them when the inputs are disturbed."""
    pairs = list(calibration.pairs())
    if not pairs:
        return
    layers, batches = dict.fromkeys(plain.layers.values()), [inputs for inputs, _targets in pairs]
    answers = answers_to_disturbance(plain.model, layers, batches, scorer.level, plain.seed, calibration.ask)
    unseen = _unseen(plain, answers, batches[-1])
    yield dataclasses.replace(plain, disturbed=answers, unseen=unseen), sum(examples_in(*both) for both in pairs)


def _errors(plain: Observation, _scorer: Scorer, calibration: Calibration):
    """One observation of what comes back to all layers from the losses of all examples."""
    pairs = list(calibration.pairs())
    if not pairs:
        return
    back = backflow(plain.model, pairs, calibration)
    unseen = _unseen(plain, back, pairs[-1][0])
    yield dataclasses.replace(plain, back=back, unseen=unseen), sum(examples_in(*both) for both in pairs)


def _losses(plain: Observation, scorer: Scorer, calibration: Calibration):
    """One observation with a way to ask for the loss on some examples with other weights in place of its own."""
    held = list(first(calibration.pairs(), scorer.examples))  # each loss is read on the very same
    examples = sum(examples_in(*both) for both in held)

    def loss(others: Mapping[str, torch.Tensor]) -> float:
        def changed(*args, **named):
            return torch.func.functional_call(plain.model, others, args, named)

        total = 0.0
        with torch.no_grad():
            for inputs, targets in map(pair, held):
                calibration.ask()
                total += loss_of(run(changed, inputs), targets, calibration.task).item() * examples_in(inputs, targets)
        return total / examples

    if examples:
        yield dataclasses.replace(plain, loss=loss), examples


# By `Scorer.needs`.
LOOKS = {
    "weights": _weights,
    "gradients": _gradients,
    "activations": _activations,
    "disturbances": _disturbances,
    "errors": _errors,
    "losses": _losses,
    "history": _weights,
}


def _unseen(plain: Observation, called: Mapping[str, object], inputs) -> frozenset[str]:
    """The layers that the outputs depend on although they are not called."""
    quiet = [name for name, layer in plain.layers.items() if layer not in called]
    return frozenset(plain.layers[name] for name in used(plain.model, quiet, inputs))


def _check_finite(activities: Mapping[str, Activity]) -> None:
    for layer, activity in activities.items():
        if not torch.isfinite(activity.square).all():
            sentence = _("The activations at {layer} are not finite; look for such values in weights and data.")
            raise CannotScore(sentence.format(layer=layer))
