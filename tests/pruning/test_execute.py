"""A recipe in, a pruned model and its figures out: targets met, nothing lost on resuming, nothing picked on test."""

import itertools
import json
import shutil

import pytest
import torch

import prunekit as pk
from prunekit.core.cards import model_card
from prunekit.core.errors import BadSetting, CannotPrune, Stopped
from prunekit.core.recipe import Recipe, Training
from prunekit.pruning import execute
from prunekit.pruning.checkpoints import Checkpoint
from prunekit.structure import weight_parts

QUICK = Training(epochs=1, precision="float32")


def recipe(**changes) -> Recipe:
    return Recipe("mlp-digits", **{"training": QUICK, "amount": 0.5} | changes)


def run(**changes):
    return execute(recipe(**changes), timed=False)


def test_half_of_the_units_means_half_of_the_units():
    outcome = run()
    kept = sum(len(indices) for indices in outcome.kept.values())
    whole = sum(g.units for g in pk.channel_groups(pk.load_model("mlp-digits")) if g.prunable)
    assert kept == whole / 2
    assert outcome.result["sparsity_actual"] == outcome.result["sparsity_target"] == 0.5


@pytest.mark.parametrize("target", ["parameters", "macs", "bytes"])
def test_half_of_the_target_is_reached_and_not_overshot_by_a_unit(target):
    result = run(target=target).result
    left = result[f"{target}_after"] / result[f"{target}_before"]
    assert 0.48 < left <= 0.5


@pytest.mark.parametrize("round_to", [1, 8, 16])
def test_several_rounds_keep_as_many_of_each_layer_as_one_cut_does(round_to):
    def kept(**changes) -> dict[str, int]:
        nothing = Training(epochs=0)
        outcome = run(scope="layer", round_to=round_to, amount=0.4, training=nothing, **changes)
        return {name: len(indices) for name, indices in outcome.kept.items()}

    assert kept(schedule="iterative", rounds=3) == kept(schedule="one-shot")


def test_a_run_that_tries_each_channel_can_be_stopped_meanwhile():
    asked = itertools.count(1)
    phases = []
    with pytest.raises(Stopped):
        execute(
            recipe(scorer="measured_loss", calibration=64, training=Training(epochs=0)),
            lambda event: phases.append(event.get("phase")),
            should_stop=lambda: phases and phases[-1] == "scoring" and next(asked) > 20,
            timed=False,
        )
    assert phases[-1] == "scoring"
    assert next(asked) == 22, "it went on after it was told to stop"


def test_a_layer_that_only_rounding_has_kept_is_told():
    events = []
    execute(recipe(amount=1.0, round_to=8, training=Training(epochs=0)), events.append, timed=False)
    [floor] = [event for event in events if event["kind"] == "floor"]
    assert floor["rows"] == ["fc1", "fc2", "fc3"]


@pytest.mark.parametrize("scope", ["global", "isomorphic"])
def test_rounded_layers_stay_multiples_through_all_rounds_and_the_target_is_met(scope):
    events = []
    changes = {"scope": scope, "round_to": 8, "target": "bytes", "schedule": "iterative", "rounds": 2, "floor": 12}
    outcome = execute(recipe(training=Training(epochs=0), **changes), events.append, timed=False)
    for event in events:
        if event["kind"] == "cut":
            assert all(kept % 8 == 0 and kept >= 16 for kept in event["kept"].values())
    assert outcome.result["bytes_after"] <= outcome.result["bytes_before"] / 2


def test_with_single_weights_the_target_counts_those_that_are_not_zero():
    result = run(granularity="weight", target="parameters").result
    assert result["parameters_after"] == result["parameters_before"]
    assert result["nonzero_after"] / result["nonzero_before"] == pytest.approx(0.5, abs=0.001)


@pytest.mark.parametrize(("granularity", "units"), [("row", 64 + 64 + 32), ("tile", 256 + 256 + 128)])
def test_parts_of_weights_stay_zeros_through_all_rounds(granularity, units):
    three = Training(epochs=3, precision="float32")
    outcome = run(granularity=granularity, schedule="iterative", rounds=3, scorer="magnitude", training=three)
    assert outcome.result["sparsity_actual"] == 0.5
    gone = 0
    for name, parts in weight_parts(outcome.model, granularity).items():
        zeros = (parts.gathered(outcome.model.get_parameter(name)) == 0).sum(-1)
        assert set(zeros.flatten().tolist()) <= {0, parts.weights}
        gone += int((zeros > 0).sum())
    assert gone == units / 2
    assert outcome.result["parameters_after"] == outcome.result["parameters_before"]
    assert outcome.result["macs_after"] < outcome.result["macs_before"]


@pytest.mark.parametrize("granularity", ["weight", "channel"])
@pytest.mark.parametrize("scorer", ["movement", "magnitude_increase"])
def test_a_criterion_that_looks_at_training_has_some_epochs_before_the_first_cut(scorer, granularity):
    events = []
    four = Training(epochs=4, precision="float32")
    asked = recipe(scorer=scorer, granularity=granularity, schedule="iterative", rounds=2, training=four)
    outcome = execute(asked, events.append, timed=False)
    story = [(e["kind"], e["epoch"]) for e in events if e["kind"] in ("cut", "epoch")]
    assert story == [("epoch", 1), ("cut", 1), ("epoch", 2), ("cut", 2), ("epoch", 3), ("epoch", 4)]
    assert outcome.result["sparsity_actual"] == pytest.approx(0.5, abs=0.01)
    assert outcome.result["epochs"] == 4


def test_what_moves_after_the_last_cut_is_not_followed():
    kept: list[Checkpoint] = []
    execute(recipe(scorer="movement", training=Training(epochs=2, precision="float32")), keep=kept.append, timed=False)
    followed = [any(name.startswith("history/") for name in c.training["tensors"]) for c in kept]
    assert followed == [True, False]


def test_a_run_over_parts_that_the_network_does_not_have_fails_before_it_begins():
    events = []
    with pytest.raises(CannotPrune, match=r"no kernels\. Only convolutions"):
        execute(recipe(granularity="kernel", scorer="magnitude"), events.append, timed=False)
    assert not events


def test_a_run_without_the_epochs_for_it_is_refused():
    with pytest.raises(BadSetting, match="give the run 3 epochs at least"):
        recipe(scorer="movement", schedule="iterative", rounds=2, training=Training(epochs=2))


def test_iterative_pruning_ends_at_the_same_sparsity_with_the_same_epochs():
    events = []
    three = Training(epochs=3, precision="float32")
    outcome = execute(recipe(schedule="iterative", rounds=3, training=three), events.append, timed=False)
    cuts = [e["sparsity"] for e in events if e["kind"] == "cut"]
    assert cuts == sorted(cuts)
    assert len(cuts) == 3
    assert outcome.result["sparsity_actual"] == 0.5
    assert [e["epoch"] for e in events if e["kind"] == "epoch"] == [1, 2, 3]


def test_iterative_pruning_of_weights_never_brings_one_back():
    events = []
    three = Training(epochs=3, precision="float32")
    changes = {"schedule": "iterative", "rounds": 3, "granularity": "weight", "scorer": "random", "training": three}
    outcome = execute(recipe(**changes), events.append, timed=False)
    assert outcome.result["sparsity_actual"] == 0.5
    zeros = sum(int((m.weight == 0).sum()) for m in outcome.model.modules() if isinstance(m, torch.nn.Linear))
    whole = sum(m.weight.numel() for m in outcome.model.modules() if isinstance(m, torch.nn.Linear))
    assert zeros == whole // 2


def test_a_net_is_fine_tuned_with_the_augmentation_that_its_card_names(tmp_path, monkeypatch):
    monkeypatch.setenv("PRUNEKIT_MODELS", str(tmp_path))
    whole = model_card("mlp-digits")
    for name, side in (("alike", 0), ("cutout", 4)):
        folder = shutil.copytree(whole.folder, tmp_path / name)
        card = json.loads((folder / "card.json").read_text())
        card["id"] = name
        card["training"]["augmentation"]["erase"] = side
        (folder / "card.json").write_text(json.dumps(card))

    def weights(name, **changes):
        training = Training(epochs=1, precision="float32", **changes)
        return execute(recipe(training=training).with_(model=name), timed=False).model.state_dict()["fc1.weight"]

    assert torch.equal(weights("alike"), weights("mlp-digits"))
    assert not torch.equal(weights("cutout"), weights("mlp-digits"))
    assert torch.equal(weights("cutout", augment=False), weights("mlp-digits", augment=False))


def test_a_pruned_net_learns_from_the_untouched_one(monkeypatch):
    teachers = []

    def spied(*args, **more):
        teachers.append(more["teacher"])
        return pk.training.train(*args, **more)

    monkeypatch.setattr("prunekit.pruning.loop.train", spied)
    three = Training(epochs=3, precision="float32", distillation=1.0)
    execute(recipe(schedule="iterative", rounds=3, training=three), timed=False)
    untouched = pk.load_model("mlp-digits").state_dict()
    assert len(teachers) == 3
    for teacher in teachers:
        assert all(torch.equal(tensor, untouched[name]) for name, tensor in teacher.state_dict().items())


def test_a_locked_layer_stays_whole_and_an_override_is_met():
    outcome = run(locked=("fc1",), overrides={"fc2": 0.25})
    assert len(outcome.kept["fc1"]) == 64
    assert len(outcome.kept["fc2"]) == 48


def test_a_lock_of_a_layer_that_is_not_there_is_refused():
    with pytest.raises(BadSetting, match="fc99"):
        run(locked=("fc99",))


def test_the_floor_keeps_a_unit_of_every_layer_and_is_told():
    events = []
    outcome = execute(recipe(amount=1.0, training=Training(epochs=0)), events.append, timed=False)
    assert {len(indices) for indices in outcome.kept.values()} == {1}
    assert [sorted(e["rows"]) for e in events if e["kind"] == "floor"] == [sorted(outcome.kept)]


def test_nothing_pruned_and_nothing_tuned_is_the_untouched_model():
    result = run(amount=0.0, training=Training(epochs=0)).result
    assert result["validation_baseline"] == result["validation_pruned"] == result["validation_finetuned"]
    assert result["parameters_before"] == result["parameters_after"]


@pytest.mark.parametrize("granularity", ["weight", "row", "tile", "channel"])
@pytest.mark.parametrize("scorer", ["taylor", "movement"])
@pytest.mark.parametrize("cut_off", [1, 2, 3])
def test_a_resumed_run_ends_with_exactly_the_weights_of_an_uninterrupted_one(granularity, scorer, cut_off):
    four = Training(epochs=4, precision="float32")
    asked = recipe(granularity=granularity, schedule="iterative", rounds=2, training=four, scorer=scorer)
    kept: list[bytes] = []
    whole = execute(asked, keep=lambda c: kept.append(c.to_bytes()), timed=False)
    resumed = execute(asked, checkpoint=Checkpoint.from_bytes(kept[cut_off - 1]), timed=False)
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, resumed.model.state_dict()[name]), name
    same = [k for k in whole.result if k not in ("wall_seconds", "environment", "recipe")]
    assert {k: whole.result[k] for k in same} == {k: resumed.result[k] for k in same}


def test_a_run_stops_where_it_is_asked_to():
    events = []
    with pytest.raises(Stopped):
        execute(recipe(), events.append, should_stop=lambda: len(events) >= 3, timed=False)


def test_the_same_recipe_gives_the_same_model():
    first, second = run(scorer="random"), run(scorer="random")
    assert first.kept == second.kept
    assert all(torch.equal(a, b) for a, b in zip(first.model.parameters(), second.model.parameters(), strict=True))


def test_test_data_is_looked_at_before_the_first_run_and_at_the_end_of_each(monkeypatch):
    from prunekit.pruning import loop

    looked, real, data = [], loop.evaluate, loop.load_dataset("digits")

    def watched(model, split, *rest, **more):
        looked.append("test" if split is data.test else "validation or training")
        return real(model, split, *rest, **more)

    monkeypatch.setattr(loop, "load_dataset", lambda _id, prefer: data)
    monkeypatch.setattr(loop, "evaluate", watched)
    loop._baselines.clear()
    run()
    assert looked.count("test") == 2
    assert looked[-1] == "test"
    run(seed=1)
    assert looked.count("test") == 3


def test_timing_is_measured_side_by_side_when_asked_for():
    result = execute(recipe(training=Training(epochs=0))).result
    assert result["latency_ms_before"] > 0
    assert result["latency_ms_after"] > 0
    assert set(result["latency"]) == {"1", "64"}


def test_a_saved_outcome_loads_with_no_difference(tmp_path):
    outcome = run()
    outcome.save(tmp_path)
    inputs = torch.randn(4, 1, 8, 8)
    with torch.inference_mode():
        assert torch.equal(pk.load(tmp_path)(inputs), outcome.model(inputs))
