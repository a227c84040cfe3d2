"""A recipe says everything a run depends on, and nothing that makes no sense."""

import dataclasses
import itertools
import json
import shlex

import pytest

from prunekit.core.cards import ModelCard
from prunekit.core.cuts import Cut
from prunekit.core.errors import BadSetting, UnknownName
from prunekit.core.recipe import Recipe, Training
from prunekit.core.sweep import Sweep
from tests.core.recipes import full


def test_how_coupled_layers_are_scored_makes_no_other_recipe_of_weights():
    plain = Recipe(scorer="taylor", granularity="weight")
    assert Recipe(scorer="taylor", granularity="weight", knobs={"reduction": "max"}) == plain
    assert Recipe(scorer="taylor", knobs={"reduction": "max"}).fingerprint != Recipe(scorer="taylor").fingerprint


def test_the_data_is_the_models_own_unless_told_otherwise():
    assert Recipe("lenet-fashion").data == "fashion-mnist"
    assert Recipe("lenet-fashion", data="digits").data == "digits"


def test_nothing_of_the_full_recipe_is_at_its_default():
    for usual, other, left in ((Recipe(), full(), ["round_to"]), (Training(), full().training, [])):
        assert [f.name for f in dataclasses.fields(usual) if getattr(usual, f.name) == getattr(other, f.name)] == left


@pytest.mark.parametrize("recipe", [Recipe(), full(), Recipe(round_to=8)])
def test_a_recipe_goes_through_json_unchanged(recipe):
    again = Recipe.from_plain(json.loads(json.dumps(recipe.to_plain())))
    assert again == recipe
    assert again.fingerprint == recipe.fingerprint


def test_a_fingerprint_is_the_same_for_the_same_recipe_however_it_was_written():
    recipe = Recipe(amount=1, training=Training(epochs=2, learning_rate=1))
    assert recipe.fingerprint == Recipe(amount=1.0, training=Training(epochs=2.0, learning_rate=1.0)).fingerprint
    by_norm = [Recipe(scorer="magnitude", knobs=knobs).fingerprint for knobs in ({}, {"p": 1}, {"p": 1.0})]
    assert len(set(by_norm)) == 1
    one, two = ({"conv1": 0.1, "conv2": 1}, {"conv2": 1.0, "conv1": 0.1})
    assert Recipe(overrides=one).fingerprint == Recipe(overrides=two).fingerprint
    assert Recipe(locked=("a", "b")).fingerprint == Recipe(locked=("b", "a", "b")).fingerprint
    assert Recipe(schedule="one-shot", rounds=9).fingerprint == Recipe(schedule="one-shot").fingerprint


def test_a_fingerprint_differs_when_anything_does():
    base = Recipe(scorer="magnitude", schedule="iterative")
    others = [
        base.with_(seed=1),
        base.with_(amount=0.51),
        base.with_(knobs={"p": 2}),
        base.with_(locked=("conv1",)),
        base.with_(rounds=2),
        base.with_(training=Training(epochs=4)),
        base.with_(scorer="random"),
        base.with_(round_to=8),
        base.with_(floor=4),
    ]
    assert len({recipe.fingerprint for recipe in (base, *others)}) == 1 + len(others)


def test_settings_that_came_later_are_told_only_where_they_are_used():
    before, taught = Recipe(), Recipe(training=Training(distillation=0.9, temperature=4.0))
    assert not {"distillation", "temperature"} & set(before.to_plain()["training"])
    assert taught.to_plain()["training"]["distillation"] == 0.9
    assert taught.fingerprint != before.fingerprint
    assert taught.title().endswith("3 epochs · distillation 0.9 at temperature 4")
    assert "distillation" not in Recipe(training=Training(epochs=0, distillation=0.9)).title()
    assert Recipe.from_plain(taught.to_plain()) == taught
    assert not {"round_to", "floor"} & set(before.to_plain())
    assert Recipe(round_to=8, floor=16).title().endswith("multiples of 8 · at least 16 a layer · 3 epochs")
    # As in the histories that were written before: no setting may be added to what is told of it.
    assert list(before.to_plain()["training"]) == [
        "epochs", "learning_rate", "optimizer", "decay", "batch_size", "momentum", "weight_decay", "label_smoothing",
        "augment", "precision",
    ]  # fmt: skip


def test_a_temperature_without_distillation_is_no_other_recipe():
    assert Recipe(training=Training(temperature=9.0)).fingerprint == Recipe().fingerprint


def test_single_weights_are_rounded_to_nothing():
    assert Recipe(granularity="weight", round_to=8).fingerprint == Recipe(granularity="weight").fingerprint
    assert Recipe(round_to=8).with_(granularity="weight").cut(0.5).round_to == 1


def test_what_was_blanked_is_part_of_the_fingerprint_where_it_is_used(monkeypatch):
    def fingerprints() -> list[str]:
        return [
            Recipe("vgg-cifar10", training=training).fingerprint
            for training in (Training(), Training(augment=False), Training(epochs=0))
        ]

    with_cutout = fingerprints()
    monkeypatch.setattr(ModelCard, "erase", 0)
    without = fingerprints()
    assert with_cutout[0] != without[0]
    assert with_cutout[1:] == without[1:]


def test_another_criterion_starts_with_its_own_knobs():
    assert Recipe(scorer="magnitude", knobs={"p": 2}).with_(scorer="random").knobs == {}
    assert Recipe(scorer="magnitude", knobs={"p": 2}).with_(seed=3).knobs == {"p": 2}
    assert Recipe(scorer="random").with_(scorer="magnitude", knobs={"p": 2}).knobs == {"p": 2}


def test_the_cut_of_a_recipe_has_its_scope_overrides_and_locks():
    assert full().cut(0.5) == Cut(
        0.5, "layer", {"fc1.weight": 0.1 + 0.2}, frozenset({"fc2.weight", "fc3.weight"}), floor=3
    )
    assert Recipe(round_to=8, floor=2).cut(0.5) == Cut(0.5, round_to=8, floor=2)


@pytest.mark.parametrize(
    ("plain", "error", "words"),
    [
        ({"model": "alexnet"}, UnknownName, "no model called “alexnet”; choose one of: .*lenet-fashion"),
        ({"model": "../lenet-fashion"}, UnknownName, "no model called"),
        ({"model": 5}, BadSetting, "given by its name, not “5”"),
        ({"scorer": "magic"}, UnknownName, "no criterion called “magic”"),
        ({"scorer": "bn_scale", "granularity": "weight"}, BadSetting, "no answer for granularity “weight”"),
        ({"scorer": "magnitude", "knobs": {"q": 1}}, BadSetting, "no setting “q”; its settings are: p"),
        ({"scorer": "magnitude", "knobs": {"p": 7}}, BadSetting, "Norm must be one of 1, 2"),
        ({"amount": 2}, BadSetting, "Amount must be between 0 and 1, not 2"),
        ({"amount": "half"}, BadSetting, "Amount must be a number"),
        ({"target": "watts"}, BadSetting, "Target must be one of"),
        ({"target": "bytes", "granularity": "weight"}, BadSetting, "Zeros take as much room"),
        ({"scope": "erk", "granularity": "channel"}, BadSetting, "ERK shares the sparsity out over weight tensors"),
        ({"scope": "local"}, BadSetting, "Scope must be one of"),
        ({"round_to": 7}, BadSetting, "Round channels to must be one of 1, 4, 8, 16, 32, not “7”"),
        ({"floor": 0}, BadSetting, "Keep at least must be between 1 and"),
        ({"schedule": "cubic"}, BadSetting, "Schedule must be one of"),
        ({"overrides": {"conv1": 2}}, BadSetting, "sparsity of conv1 must be between 0 and 1"),
        ({"overrides": [1]}, BadSetting, "“overrides” in a recipe must be a JSON object"),
        ({"locked": "conv1"}, BadSetting, "“locked” in a recipe must be a list"),
        ({"locked": [1]}, BadSetting, "list of names"),
        ({"training": 5}, BadSetting, "“training” in a recipe must be a JSON object"),
        ({"training": {"epochs": -1}}, BadSetting, "Epochs must be between 0 and 1000"),
        ({"training": {"speed": 1}}, BadSetting, "no setting “speed” in a training"),
        ({"colour": "red"}, BadSetting, "no setting “colour” in a recipe"),
        ([], BadSetting, "must be a JSON object"),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused_in_one_sentence(plain, error, words):
    with pytest.raises(error, match=words) as caught:
        Recipe.from_plain(plain)
    assert str(caught.value).endswith(".")


def test_the_command_line_names_everything_that_is_not_left_to_chance():
    words = shlex.split(full().command())
    assert words[:6] == ["python", "-m", "prunekit", "prune", "--model", "mlp-digits"]
    pairs = list(itertools.pairwise(words))
    for pair in (
        ("--scorer", "magnitude"),
        ("--granularity", "weight"),
        ("--scope", "layer"),
        ("--target", "macs=0.3333333333333333"),
        ("--schedule", "iterative"),
        ("--rounds", "5"),
        ("--epochs", "8"),
        ("--learning-rate", "1e-05"),
        ("--optimizer", "adamw"),
        ("--knob", "p=2"),
        ("--override", "fc1.weight=0.30000000000000004"),
        ("--lock", "fc2.weight"),
        ("--lock", "fc3.weight"),
        ("--floor", "3"),
        ("--seed", "7"),
    ):
        assert pair in pairs
    assert "--no-augment" in words
    assert "--round-to 16" in Recipe(round_to=16).command()


def test_of_n_of_m_recipes_and_sweeps_know_the_nearest_shares_alone():
    asked = Recipe("lenet-fashion", granularity="weight", scope="n:4", amount=0.45)
    assert asked.amount == 0.5
    assert asked.fingerprint == asked.with_(amount=0.55).fingerprint
    assert asked.with_(target="parameters", amount=0.45).amount == 0.45
    assert Sweep(asked, ("magnitude",), (0.3, 0.45, 0.5, 0.6), ("weight",), (0,)).amounts == (0.25, 0.5)
