"""The training loop: it learns, repeats itself, resumes exactly, and leaves pruned weights at zero."""

import copy
import dataclasses
import math

import pytest
import torch
from torch import nn

from prunekit.core.errors import BadSetting, CorruptFile, PrunekitError, Stopped
from prunekit.core.recipe import Training
from prunekit.core.tasks import CLASSIFICATION, REGRESSION
from prunekit.data.split import Split
from prunekit.training import Precision, evaluate, train
from prunekit.training import loop as loops
from prunekit.training.checkpoint import from_bytes, to_bytes

FLOAT32, BFLOAT16 = Precision(), Precision("bfloat16", channels_last=True)
PLAIN = Training(epochs=3, batch_size=8, learning_rate=0.05, precision="float32")


def stripes(count: int = 40) -> Split:
    """6x6 pictures: class 0 is bright on the left, class 1 on the right."""
    inputs = torch.randint(0, 60, (count, 1, 6, 6), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    targets = torch.arange(count) % 2
    inputs[targets == 0, :, :, :3] += 150
    inputs[targets == 1, :, :, 3:] += 150
    return Split(inputs, targets, normalization=((0.5,), (0.3,)), shift=1)


def network() -> nn.Module:
    """With batch norm and dropout, the two that hide mistakes in training loops."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(0.2), nn.Linear(64, 2)
    )


def trained(model=None, settings=PLAIN, seed=0, split=None, **more) -> nn.Module:
    return train(model or network(), split or stripes(), CLASSIFICATION, settings, seed=seed, **more)


def same(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


SETTINGS = {
    "sgd": PLAIN,
    "adamw": Training(epochs=3, batch_size=8, learning_rate=0.01, optimizer="adamw", precision="float32"),
    "constant, smoothed": Training(
        epochs=3, batch_size=8, learning_rate=0.05, decay="constant", label_smoothing=0.1, precision="float32"
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_it_learns_to_tell_left_from_right(name):
    events = []
    trained(settings=SETTINGS[name], validation=stripes(20), report=events.append)
    last = events[-1]
    assert (last["kind"], last["epoch"], last["epochs"], last["metric"]) == ("epoch", 3, 3, "accuracy")
    assert last["validation"] == 1.0
    assert last["validation_low"] < 1.0 == last["validation_high"]


@pytest.mark.parametrize("precision", [FLOAT32, BFLOAT16])
def test_equal_seeds_give_equal_weights_and_others_do_not(precision):
    one, again, other = (trained(seed=seed, precision=precision) for seed in (1, 1, 2))
    assert same(one, again)
    assert not same(one, other)


@pytest.mark.parametrize("precision", [FLOAT32, Precision("float32", channels_last=True), BFLOAT16])
@pytest.mark.parametrize("name", SETTINGS)
def test_a_resumed_training_ends_with_exactly_the_weights_of_an_uninterrupted_one(name, precision):
    states = []
    whole = trained(settings=SETTINGS[name], precision=precision, on_epoch=states.append)
    assert [state["epoch"] for state in states] == [1, 2, 3]
    for state in states[:2]:
        stored = from_bytes(to_bytes(state))
        torch.manual_seed(99)  # another process is in another random state
        assert same(trained(copy.deepcopy(network()), SETTINGS[name], state=stored), whole)


TAUGHT = dataclasses.replace(PLAIN, distillation=1.0)


def test_with_nothing_but_its_teacher_a_network_learns_what_that_says_and_not_what_the_data_say():
    teacher, split = trained(), stripes()
    backwards = dataclasses.replace(split, targets=1 - split.targets)
    assert evaluate(teacher, split, CLASSIFICATION).value == 1
    assert evaluate(trained(split=backwards), split, CLASSIFICATION).value == 0
    for precision in (FLOAT32, BFLOAT16):
        taught = trained(settings=TAUGHT, split=backwards, teacher=teacher, precision=precision)
        assert evaluate(taught, split, CLASSIFICATION).value == 1


def test_a_teacher_stays_as_it_is_and_is_not_asked_where_there_is_no_distillation():
    teacher = network()
    before = copy.deepcopy(teacher)
    with_teacher = trained(settings=TAUGHT, teacher=teacher)
    assert same(teacher, before)
    assert teacher.training
    assert all(parameter.requires_grad for parameter in teacher.parameters())
    assert not same(with_teacher, trained())
    assert same(trained(teacher=teacher), trained())


def test_distillation_without_a_teacher_is_refused():
    with pytest.raises(BadSetting, match="teacher"):
        trained(settings=TAUGHT)


def test_a_resumed_distillation_is_the_same_too():
    half, states = dataclasses.replace(PLAIN, distillation=0.5), []
    whole = trained(settings=half, teacher=network(), on_epoch=states.append)
    assert same(trained(settings=half, teacher=network(), state=states[0]), whole)


def test_a_resumed_training_under_a_mask_is_the_same_too():
    mask = {"0.weight": torch.rand(4, 1, 3, 3, generator=torch.Generator().manual_seed(1)) > 0.5}
    states = []
    whole = trained(mask=mask, on_epoch=states.append)
    assert same(trained(mask=mask, state=states[0]), whole)


def test_a_finished_training_is_resumed_without_another_step():
    states = []
    whole = trained(on_epoch=states.append)
    assert same(trained(state=states[-1]), whole)


def test_a_checkpoint_is_a_copy_that_later_epochs_do_not_change():
    states = []
    trained(on_epoch=lambda state: states.append((state, copy.deepcopy(state))))
    kept, as_it_was = states[0]
    assert all(torch.equal(t, as_it_was["tensors"][n]) for n, t in kept["tensors"].items())


def test_a_checkpoint_of_another_network_or_of_nonsense_is_refused():
    states = []
    trained(on_epoch=states.append)
    with pytest.raises(CorruptFile, match="another network"):
        trained(nn.Sequential(nn.Flatten(), nn.Linear(36, 2)), state=states[0])
    for data in (b"", b"nonsense that is longer than eight bytes", to_bytes(states[0])[:-10]):
        with pytest.raises(CorruptFile, match="cannot be read"):
            from_bytes(data)


@pytest.mark.parametrize("precision", [FLOAT32, BFLOAT16])
@pytest.mark.parametrize("name", SETTINGS)
def test_pruned_weights_stay_exactly_zero_through_momentum_and_weight_decay(name, precision):
    model = network()
    trained(model)  # so that there is something to prune
    generator = torch.Generator().manual_seed(1)
    mask = {n: torch.rand(p.shape, generator=generator) > 0.5 for n, p in model.named_parameters() if p.dim() > 1}
    seen = []

    def look(_event_or_state):
        seen.append(all(not p[~mask[n]].any() for n, p in model.named_parameters() if n in mask))

    before = model[5].weight.detach().clone()
    trained(model, SETTINGS[name], mask=mask, precision=precision, on_epoch=look)
    assert seen == [True, True, True]
    for n, p in model.named_parameters():
        if n in mask:
            assert torch.count_nonzero(p[~mask[n]]) == 0
            assert torch.count_nonzero(p[mask[n]]) == mask[n].sum()
    assert not torch.equal(model[5].weight[mask["5.weight"]], before[mask["5.weight"]])


def test_a_mask_of_everything_kept_changes_nothing():
    everything = {n: torch.ones_like(p, dtype=torch.bool) for n, p in network().named_parameters()}
    assert same(trained(mask=everything), trained())


@pytest.mark.parametrize("entry", [{"conv": torch.ones(2, dtype=torch.bool)}, {"0.weight": torch.ones(4).bool()}])
def test_a_mask_that_does_not_fit_is_refused(entry):
    with pytest.raises(BadSetting, match="fits no weight"):
        trained(mask=entry)


def test_a_step_of_sgd_is_the_one_in_the_textbook():
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 2.0)
    one = Split(torch.ones(4, 1), torch.zeros(4), normalization=((0.0,), (1.0,)))
    settings = Training(learning_rate=0.1, weight_decay=0.5, momentum=0.0, decay="constant", precision="float32")
    train(model, one, REGRESSION, settings, epochs=1)
    # weight - rate * (gradient of w squared + decay * weight) = 2 - 0.1 * (4 + 1)
    assert model.weight.item() == pytest.approx(1.5, abs=1e-6)


def test_weight_decay_spares_biases_and_normalisation():
    optimizer = loops._optimizer(network(), PLAIN)
    by_decay = {g["weight_decay"]: sorted(p.dim() for p in g["params"]) for g in optimizer.param_groups}
    assert by_decay == {5e-4: [2, 4], 0.0: [1, 1, 1, 1]}


def test_the_cosine_starts_at_the_learning_rate_is_half_in_the_middle_and_falls_to_zero():
    rates = [loops._learning_rate(PLAIN, progress) for progress in (0, 0.5, 1)]
    assert rates == pytest.approx([0.05, 0.025, 0.0], abs=1e-12)
    assert loops._learning_rate(SETTINGS["constant, smoothed"], 0.9) == 0.05


def test_progress_is_reported_in_plain_values_and_not_too_often(monkeypatch):
    clock = iter(range(10_000))
    monkeypatch.setattr(loops.time, "monotonic", lambda: next(clock) * 0.1)
    events = []
    trained(settings=Training(epochs=2, batch_size=2, precision="float32"), report=events.append)
    assert [e["epoch"] for e in events if e["kind"] == "epoch"] == [1, 2]
    progress = [e for e in events if e["kind"] == "progress"]
    # 20 steps an epoch, the clock moves 0.1 s a step: a report at every third or fourth step.
    assert 10 <= len(progress) <= 14
    first = progress[0]
    assert (first["epoch"], first["epochs"], first["steps"]) == (1, 2, 20)
    assert 1 <= first["step"] <= 4
    assert first["images_per_second"] > 0
    assert all(type(v) in (int, float, str, bool, dict) for event in events for v in event.values())


def test_the_chosen_precision_is_reported_and_auto_measures_it():
    events = []
    trained(settings=Training(epochs=1, batch_size=8), report=events.append)
    first = events[0]
    assert first["kind"] == "precision"
    assert first["name"] in ("float32", "bfloat16")
    assert len(first["milliseconds"]) == 3
    assert first["sentence"].startswith("Training in ")


@pytest.mark.parametrize("name", ["float32", "bfloat16"])
def test_a_precision_that_is_asked_for_is_honoured_without_measuring(name):
    events = []
    trained(settings=Training(epochs=1, batch_size=8, precision=name), report=events.append)
    assert (events[0]["name"], events[0]["milliseconds"]) == (name, {})


def test_a_stop_is_seen_at_the_next_batch_and_the_last_checkpoint_is_kept():
    asked, states, model = [], [], network()

    def stop_in_the_second_epoch():
        asked.append(len(states))
        return len(asked) == 8  # 5 batches an epoch

    with pytest.raises(Stopped, match="epoch 2 of 3"):
        trained(model, should_stop=stop_in_the_second_epoch, on_epoch=states.append)
    assert [state["epoch"] for state in states] == [1]
    assert len(asked) == 8
    assert not model.training


def test_a_loss_that_is_no_number_ends_the_training_with_advice():
    ones = Split(torch.ones(8, 1), torch.zeros(8), normalization=((0.0,), (1.0,)))
    settings = Training(epochs=200, learning_rate=10.0, decay="constant", precision="float32")
    with pytest.raises(PrunekitError, match="choose a learning rate below 10"):
        train(nn.Linear(1, 1), ones, REGRESSION, settings)


def test_a_training_that_diverges_in_its_last_step_is_not_passed_off_as_a_result():
    ones = Split(torch.ones(8, 1), torch.zeros(8), normalization=((0.0,), (1.0,)))
    model = nn.Linear(1, 1)
    nn.init.constant_(model.weight, 1e18)  # the square still is a float32, that of the next weight is not
    settings = Training(epochs=1, learning_rate=10.0, decay="constant", precision="float32")
    with pytest.raises(PrunekitError, match="diverged in epoch 1"):
        train(model, ones, REGRESSION, settings, validation=ones)


def test_no_epochs_change_nothing():
    model = network()
    assert same(trained(model, epochs=0), network())


def test_a_last_batch_of_one_does_not_trip_batch_norm():
    model = nn.Sequential(nn.Flatten(), nn.Linear(36, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))
    events = []
    train(model, stripes(17), CLASSIFICATION, PLAIN, epochs=1, report=events.append)
    assert math.isfinite(events[-1]["loss"])


def test_frozen_weights_stay_as_they_are_and_an_all_frozen_network_is_refused():
    model = network()
    model[0].weight.requires_grad_(False)
    before = model[0].weight.clone()
    trained(model)
    assert torch.equal(model[0].weight, before)
    assert not model[0].weight.requires_grad
    with pytest.raises(BadSetting, match="no trainable weights"):
        trained(network().requires_grad_(False))


def test_the_data_and_torchs_random_state_are_left_as_they_were():
    data, model = stripes(), network()
    before = data.inputs.clone()
    random = torch.get_rng_state()
    train(model, data, CLASSIFICATION, PLAIN, epochs=1)
    assert torch.equal(data.inputs, before)
    assert torch.equal(torch.get_rng_state(), random)


def test_the_trained_network_lies_in_memory_as_usual_and_holds_no_gradients():
    model = trained(precision=BFLOAT16)
    assert model[0].weight.is_contiguous()
    assert all(p.grad is None and p.dtype is torch.float32 for p in model.parameters())
