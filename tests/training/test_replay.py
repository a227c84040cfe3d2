"""Variants of a network, judged from where they differ: the numbers of running them whole."""

import copy
import threading

import pytest
import torch
from torch import nn

from prunekit.core.tasks import CLASSIFICATION
from prunekit.structure import channel_groups
from prunekit.surgery import masked_copy, remove_channels
from prunekit.training import evaluate
from prunekit.training.replay import Replay
from tests import toy_networks as toys


def batches(shape: tuple[int, ...] = (3, 8, 8), classes: int = 5, size: int = 12, count: int = 3):
    random = torch.Generator().manual_seed(0)
    return [
        (torch.randn(size, *shape, generator=random), torch.randint(classes, (size,), generator=random))
        for _ in range(count)
    ]


def stirred(model: nn.Module) -> nn.Module:
    """With statistics and scales of batch norm that matter."""
    random = torch.Generator().manual_seed(1)
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.running_mean.normal_(0, 0.3, generator=random)
            module.running_var.uniform_(0.5, 2, generator=random)
            if module.affine:
                module.weight.data.uniform_(0.5, 1.5, generator=random)
    return model.eval()


def variants(model: nn.Module):
    """Each with half of one tensor at zero, in the order of the tensors."""
    for name, parameter in model.named_parameters():
        variant = copy.deepcopy(model)
        variant.get_parameter(name).data[: max(len(parameter) // 2, 1)] = 0
        yield name, variant


class AddsInPlace(nn.Module):
    """A block that ends in operations on what it has just computed."""

    def __init__(self):
        super().__init__()
        self.stem, self.act = nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(inplace=True)
        self.conv, self.head = nn.Conv2d(4, 4, 3, padding=1), nn.Linear(4, 5)

    def forward(self, x):
        x = self.stem(x)
        y = self.conv(x)
        y += x
        return self.head(nn.functional.relu(self.act(y) - 1, inplace=True).mean((2, 3)))


class OverwritesWhatWasRead(AddsInPlace):
    """What the stem gave is remembered while the second layer differs, and put through an activation in place."""

    def forward(self, x):
        x = self.stem(x)
        y = self.conv(x)
        return self.head((y + self.act(x)).mean((2, 3)))


class OverwritesWhatItReads(AddsInPlace):
    """What it adds in the end is no longer what the stem gave."""

    def forward(self, x):
        x = self.stem(x)
        return self.head((self.conv(self.act(x)) + x).mean((2, 3)))


NETS = {
    "convolutions and batch norm": toys.lenet,
    "two blocks that are added": toys.Residual,
    "branches": toys.Concatenated,
    "in-place operations": AddsInPlace,
    "an activation in place of what was read before": OverwritesWhatWasRead,
    "depthwise convolutions": toys.separable,
}


@pytest.mark.parametrize("name", NETS)
def test_a_variant_is_judged_as_if_it_ran_whole_in_whatever_order(name):
    model, data = stirred(NETS[name]()), batches()
    replay = Replay(model, data, CLASSIFICATION)
    assert replay.is_recorded
    wanted = {n: evaluate(v, data, CLASSIFICATION) for n, v in variants(model)}
    assert len({seen.loss for seen in wanted.values()}) > 3
    for order in (variants(model), reversed(list(variants(model)))):
        for tensor, variant in order:
            seen = replay.evaluate(variant)
            assert (seen.value, seen.n) == (wanted[tensor].value, 36)
            assert seen.loss == pytest.approx(wanted[tensor].loss, rel=1e-4), tensor
    untouched = evaluate(model, data, CLASSIFICATION)
    assert replay.evaluate(model).loss == pytest.approx(untouched.loss, rel=1e-4)


def test_what_comes_before_the_first_difference_runs_once(monkeypatch):
    model, data = stirred(toys.Residual()), batches(count=2)
    replay = Replay(model, data, CLASSIFICATION)
    ran = []
    forward = nn.Conv2d.forward
    monkeypatch.setattr(nn.Conv2d, "forward", lambda self, x: ran.append(self.in_channels) or forward(self, x))
    late = [variant for name, variant in variants(model) if name == "conv2.weight"]
    replay.evaluate(late[0])
    first, ran[:] = list(ran), []
    for _again in range(3):
        replay.evaluate(late[0])
    assert sorted(first) == [3, 3, 6, 6, 8, 8]  # stem, conv1, conv2, for two batches
    assert ran == [6, 6] * 3


def test_batch_norm_is_folded_where_it_follows_a_layer_of_its_own():
    replay = Replay(stirred(toys.Residual()), batches(), CLASSIFICATION)
    assert replay._recorded.folded == {"stem": "stem_bn", "conv1": "bn1", "conv2": "bn2"}


def test_a_batch_norm_whose_layer_is_read_elsewhere_too_stays():
    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.bn, self.head = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 5)

        def forward(self, x):
            x = self.conv(x)
            return self.head((x + self.bn(x)).mean((2, 3)))

    model, data = stirred(Both()), batches()
    replay = Replay(model, data, CLASSIFICATION)
    assert replay._recorded.folded == {}
    for _name, variant in variants(model):
        assert replay.evaluate(variant).loss == pytest.approx(evaluate(variant, data, CLASSIFICATION).loss, rel=1e-4)


class Counts(nn.Module):
    """Its path hangs on the numbers: a recording would be of one path only."""

    def __init__(self):
        super().__init__()
        self.one, self.other = nn.Linear(6, 5), nn.Linear(6, 5)

    def forward(self, x):
        return self.one(x) if x.mean() > 0 else self.other(x)


@pytest.mark.parametrize(("network", "shape"), [(Counts, (6,)), (OverwritesWhatItReads, (3, 8, 8))])
def test_a_network_that_cannot_be_recorded_runs_whole(network, shape):
    model, data = network(), batches(shape)
    replay = Replay(model, data, CLASSIFICATION)
    assert not replay.is_recorded
    for _name, variant in variants(model):
        assert replay.evaluate(variant).loss == pytest.approx(evaluate(variant, data, CLASSIFICATION).loss)


class WritesIntoItsInput(nn.Module):
    """An answer written early on into what it was computed from, after another layer has read that."""

    def __init__(self):
        super().__init__()
        self.one, self.side = nn.Linear(6, 6), nn.Linear(6, 6)
        self.tail = nn.Sequential(*(nn.Linear(6, 6) for _ in range(6)), nn.Linear(6, 5))

    def forward(self, x):
        x = self.one(x)
        y = self.side(x)
        return self.tail(y + torch.add(x, 1.0, out=x))


class NormalisesTime(nn.Module):
    """Batch norm over the second of three dimensions, which is not the one that the layer before it makes."""

    def __init__(self):
        super().__init__()
        self.line, self.norm, self.head = nn.Linear(6, 4), nn.BatchNorm1d(3), nn.Linear(12, 5)

    def forward(self, x):
        return self.head(self.norm(input=self.line(x)).flatten(1))


@pytest.mark.parametrize(("network", "shape"), [(WritesIntoItsInput, (6,)), (NormalisesTime, (3, 6))])
def test_what_cannot_be_recorded_or_folded_is_judged_rightly_all_the_same(network, shape):
    model = stirred(network()).requires_grad_(False)
    data = batches(shape)
    replay = Replay(model, data, CLASSIFICATION)
    for _again in range(2):
        for name, variant in variants(model):
            seen = replay.evaluate(variant)
            assert seen.loss == pytest.approx(evaluate(variant, data, CLASSIFICATION).loss, rel=1e-4), name


def test_other_threads_run_their_networks_while_one_is_recorded():
    """torch.fx puts its hands on all modules of the process."""
    small, stop, failed, ran = toys.chain(), threading.Event(), [], []

    def run() -> None:
        while not stop.is_set():
            try:
                ran.append(small(torch.ones(1, 2)).item())
            except Exception as error:
                failed.append(error)

    other = threading.Thread(target=run)
    other.start()
    try:
        for _again in range(5):
            assert Replay(stirred(toys.Residual()), batches(), CLASSIFICATION).is_recorded
    finally:
        stop.set()
        other.join()
    assert not failed
    assert set(ran) == {50.0}


class Raw(nn.Module):
    """A parameter of its own beside layers."""

    def __init__(self):
        super().__init__()
        self.one, self.scale, self.two = nn.Linear(6, 6), nn.Parameter(torch.arange(1.0, 7.0)), nn.Linear(6, 5)

    def forward(self, x):
        return self.two(torch.relu(self.one(x)) * self.scale)


def test_a_raw_parameter_may_differ_too():
    model, data = Raw(), batches((6,))
    replay = Replay(model, data, CLASSIFICATION)
    assert replay.is_recorded
    for name, variant in variants(model):
        seen = replay.evaluate(variant)
        assert seen.loss == pytest.approx(evaluate(variant, data, CLASSIFICATION).loss, rel=1e-4), name


class RecordsASize(nn.Module):
    """Asks a layer how many channels it has: recorded, the answer is a number, and that of the whole network."""

    input_shape = (3, 8, 8)

    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(4, 5)

    def forward(self, x):
        return self.head(self.conv(x).reshape(x.shape[0], self.conv.out_channels, -1).mean(2))


@pytest.mark.parametrize("name", [name for name in toys.EXACT if name != "upsampling"])  # its outputs are images
def test_as_a_whole_masked_and_smaller_variants_are_judged_as_by_themselves(name):
    model, inputs = toys.ready(*toys.EXACT[name])
    groups = channel_groups(model, inputs)
    random = torch.Generator().manual_seed(3)
    mask = {g.name: torch.rand(g.units, generator=random) > 0.4 for g in groups if g.prunable}
    for entry in mask.values():
        entry[0] = True
    with torch.inference_mode():
        classes = model(inputs).flatten(1).shape[1]
    data = batches(tuple(inputs.shape[1:]), classes)
    replay = Replay(model, data, CLASSIFICATION)
    for variant in (
        masked_copy(model, mask, inputs, groups=groups),
        remove_channels(model, mask, inputs, groups=groups),
    ):
        found, wanted = replay.evaluate_whole(variant), evaluate(variant, data, CLASSIFICATION)
        assert (found.value, found.n) == (wanted.value, wanted.n)
        assert found.loss == pytest.approx(wanted.loss, rel=1e-4)
        assert found.loss != pytest.approx(replay.evaluate_whole(model).loss, rel=1e-4)


class ReadsSumsTwice(nn.Module):
    """What may be overwritten, and what may not: read again, a view of it read later, a sum of other shapes."""

    input_shape = (3, 8, 8)

    def __init__(self):
        super().__init__()
        self.one, self.two, self.act = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1), nn.ReLU()
        self.head = nn.Linear(4, 5)

    def forward(self, x):
        first = self.one(x)
        again = first + torch.relu(first)
        seen = self.two(again)
        flat = seen.flatten(2)
        twice = self.act(seen) + again
        means = twice.mean((2, 3), keepdim=True)
        return self.head((means + torch.add(twice, again, alpha=0.5)).mean((2, 3)) + flat.mean(2))


def test_what_is_read_again_is_not_overwritten():
    torch.manual_seed(0)
    model, data = ReadsSumsTwice(), batches()
    replay = Replay(model, data, CLASSIFICATION)
    assert replay.is_recorded
    assert replay._recorded.overwrites(), "nothing here is overwritten"
    for _name, variant in variants(model):
        assert replay.evaluate_whole(variant).loss == pytest.approx(
            evaluate(variant, data, CLASSIFICATION).loss, rel=1e-5
        )


def test_a_size_that_was_recorded_as_a_number_is_no_obstacle():
    torch.manual_seed(0)
    model, data = RecordsASize(), batches()
    replay = Replay(model, data, CLASSIFICATION)
    assert replay.is_recorded
    smaller = remove_channels(model, {"conv": torch.tensor([True, False, True, False])})
    wanted = evaluate(smaller, data, CLASSIFICATION)
    assert replay.evaluate_whole(smaller).loss == pytest.approx(wanted.loss, rel=1e-5)


def test_nothing_of_the_model_or_a_variant_changes():
    model, data = stirred(AddsInPlace()).train(), batches()
    variant = next(variants(model))[1]
    before = [{n: t.clone() for n, t in net.state_dict().items()} for net in (model, variant)]
    inputs = [x.clone() for x, _y in data]
    Replay(model, data, CLASSIFICATION).evaluate(variant)
    for net, state in zip((model, variant), before, strict=True):
        assert net.training
        assert net.act.inplace
        assert all(torch.equal(t, state[n]) for n, t in net.state_dict().items())
    assert all(torch.equal(x, y) for x, (y, _t) in zip(inputs, data, strict=True))
