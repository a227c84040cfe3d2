"""Every scorer of the catalogue, at each of its granularities, keeps what scorers promise."""

import copy
import math

import pytest
import torch
from torch import nn

from prunekit.core.errors import NeedsData
from prunekit.scoring import SCORERS
from prunekit.structure.groups import channel_groups
from prunekit.structure.weights import weight_names
from tests.scoring.asking import ask

ALL = [(name, granularity) for name, scorer in SCORERS.items() for granularity in scorer.answers()]
DATA_DRIVEN = [(name, granularity) for name, granularity in ALL if SCORERS[name].needs not in ("weights", "history")]

every_scorer = pytest.mark.parametrize(("name", "granularity"), ALL)


def test_magnitude_comes_first_and_random_is_there():
    assert next(iter(SCORERS)) == "magnitude"
    assert "random" in SCORERS


@every_scorer
def test_nothing_given_is_changed(net, batches, name, granularity):
    net.train()
    net.dropout.eval()  # a mixed mode is harder to put back than one for all
    frozen = next(iter(net.parameters())).requires_grad_(False)
    for parameter in net.parameters():
        parameter.grad = torch.full_like(parameter, 7.0)
    seen = []
    for module in net.children():
        module.register_forward_hook(lambda *_: seen.append(1))
    state = copy.deepcopy(net.state_dict())
    modes = {n: m.training for n, m in net.named_modules()}
    hooks = {n: dict(m._forward_hooks) | dict(m._forward_pre_hooks) for n, m in net.named_modules()}
    given = copy.deepcopy(batches)
    lots = torch.get_rng_state()

    ask(net, name, granularity=granularity, calibration=batches)

    assert all(torch.equal(now, state[key]) for key, now in net.state_dict().items())
    assert {n: m.training for n, m in net.named_modules()} == modes
    assert {n: dict(m._forward_hooks) | dict(m._forward_pre_hooks) for n, m in net.named_modules()} == hooks
    assert not frozen.requires_grad
    assert sum(not p.requires_grad for p in net.parameters()) == 1
    assert all(torch.equal(p.grad, torch.full_like(p, 7.0)) for p in net.parameters())
    assert all(
        torch.equal(a, b) for one, two in zip(batches, given, strict=True) for a, b in zip(one, two, strict=True)
    )
    assert torch.equal(torch.get_rng_state(), lots)
    assert not seen, "the given network was run, not a copy"


@every_scorer
def test_the_scores_are_named_shaped_and_finite(net, batches, name, granularity):
    scores = ask(net, name, granularity=granularity, calibration=batches)
    shapes = {n: tuple(net.get_parameter(n).shape) for n in weight_names(net)}
    wanted = {
        "weight": shapes,
        "kernel": {n: shape[:2] for n, shape in shapes.items() if len(shape) == 4},
        "row": {n: shape[:1] for n, shape in list(shapes.items())[:-1]},
        "tile": {
            n: (s[0] // 4, math.prod(s[1:]) // 4) for n, s in shapes.items() if not s[0] % 4 + math.prod(s[1:]) % 4
        },
        "channel": {g.name: (g.units,) for g in channel_groups(net) if g.prunable},
    }[granularity]
    assert wanted
    assert {n: tuple(entry.shape) for n, entry in scores.items()} == wanted
    assert list(scores) == list(wanted)
    assert (scores.scorer, scores.granularity) == (name, granularity)
    for entry in scores.values():
        assert entry.dtype is torch.float32
        assert torch.isfinite(entry).all()
        assert (entry >= 0).all() or SCORERS[name].signed
        assert not entry.requires_grad
        assert entry.unique().numel() > 1


@every_scorer
def test_the_same_question_has_the_same_answer_in_any_mode(net, batches, name, granularity):
    first = ask(net.train(), name, granularity=granularity, calibration=batches, seed=3)
    torch.rand(5)
    again = ask(net.eval().requires_grad_(False), name, granularity=granularity, calibration=batches, seed=3)
    assert all(torch.equal(first[n], again[n]) for n in first)


@every_scorer
def test_scores_are_the_askers_own(net, batches, name, granularity):
    before = copy.deepcopy(net.state_dict())
    for entry in ask(net, name, granularity=granularity, calibration=batches).values():
        entry.fill_(0)
    assert all(torch.equal(now, before[key]) for key, now in net.state_dict().items())


@every_scorer
def test_batches_may_come_from_a_generator_and_be_split_anyhow(net, batches, name, granularity):
    """Averages count examples; only what takes a size inside a batch depends on how the set is split."""
    together = [tuple(torch.cat(parts) for parts in zip(*batches, strict=True))]
    one = ask(net, name, granularity=granularity, calibration=(batch for batch in batches))
    other = ask(net, name, granularity=granularity, calibration=together)
    # Differences of losses are as exact as the largest of them.
    alike = [torch.allclose(one[n], other[n], rtol=1e-4, atol=1e-5 * other[n].abs().max().item()) for n in one]
    if SCORERS[name].needs == "gradients" and SCORERS[name].each == "batch":
        assert not all(alike)
    else:
        assert all(alike)


@every_scorer
def test_inference_mode_is_no_hindrance(plain, batches, name, granularity):
    wanted = ask(plain, name, granularity=granularity, calibration=batches)
    with torch.inference_mode():
        inside = [(inputs.clone(), targets.clone()) for inputs, targets in batches]
        found = ask(plain, name, granularity=granularity, calibration=inside)
    assert all(torch.equal(found[n], wanted[n]) for n in wanted)


@pytest.mark.parametrize(("name", "granularity"), DATA_DRIVEN)
@pytest.mark.parametrize("nothing", [None, []])
def test_without_data_a_data_driven_scorer_says_so(plain, name, granularity, nothing):
    with pytest.raises(NeedsData, match="calibration set"):
        ask(plain, name, granularity=granularity, calibration=nothing)


@every_scorer
def test_a_network_that_writes_to_its_inputs_does_not_reach_the_askers(batches, name, granularity):
    layers = [nn.ReLU(inplace=True), nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 8, 3)]
    net = nn.Sequential(*layers, nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(128, 3)).eval()
    net.input_shape = (3, 8, 8)
    given = copy.deepcopy(batches)
    ask(net, name, granularity=granularity, calibration=batches)
    assert all(torch.equal(one[0], two[0]) for one, two in zip(batches, given, strict=True))
