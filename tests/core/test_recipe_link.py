"""A recipe in an address: readable, exact, and safe to read from others."""

import contextlib

import pytest

from prunekit.core.errors import BadSetting, PrunekitError, UnknownName
from prunekit.core.recipe import Recipe
from prunekit.core.recipe_link import read_recipe, read_sweep, recipe_parameters, sweep_parameters
from prunekit.core.sweep import Sweep
from tests.core.recipes import full


def test_nothing_is_said_of_what_is_at_its_default():
    assert recipe_parameters(Recipe("mlp-digits")) == {}
    assert recipe_parameters(Recipe("mlp-digits", schedule="iterative")) == {"schedule": "iterative"}
    assert read_recipe("mlp-digits", {"model": "mlp-digits", "view": "weights", "cut": "0.3"}) is None


def test_an_address_can_be_read_by_people():
    recipe = Recipe("mlp-digits", scorer="random", amount=0.3, overrides={"fc2": 0.25}, locked=("fc1",))
    assert recipe_parameters(recipe) == {"scorer": "random", "amount": "0.3", "own": "fc2:0.25", "locked": "fc1"}


def test_a_recipe_comes_back_as_the_very_same_run():
    again = read_recipe("mlp-digits", {"model": "mlp-digits"} | recipe_parameters(full()))
    assert again == full()
    assert again.fingerprint == full().fingerprint


def test_names_of_layers_may_have_any_sign_in_them():
    odd = {"we%ird.na,me": 0.5, "a:b": 0.25, "%2C": 0.125}
    recipe = Recipe("lenet-fashion", overrides=odd, locked=("x,y", "100%"))
    assert read_recipe("lenet-fashion", recipe_parameters(recipe)) == recipe


def test_another_schedule_alone_has_its_usual_rounds():
    assert read_recipe("mlp-digits", {"schedule": "iterative"}) == Recipe("mlp-digits", schedule="iterative")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"amount": "2"}, "between 0 and 1"),
        ({"amount": "nan"}, "Amount must be a number"),
        ({"amount": "x" * 9999}, "Amount must be a number"),
        ({"epochs": "1.5"}, "Epochs must be a whole number"),
        ({"augment": "perhaps"}, "Augmentation must be yes or no"),
        ({"own": "conv1"}, "damaged"),
        ({"own": ":0.5"}, "damaged"),
        ({"own": "conv1:0.5,conv1:0.6"}, "damaged"),
        ({"locked": "conv1,"}, "damaged"),
        ({"own": ",".join(f"conv{n}:0.123456" for n in range(999))}, "too long"),
        ({"locked": ",".join(f"conv{n}" for n in range(9999))}, "too long"),
        ({"own": "conv1:7"}, "between 0 and 1"),
        ({"own": "conv1:nan"}, "between 0 and 1"),
        ({"scorer": "magnitude", "knob_p": "9"}, "must be"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(given, sentence):
    with pytest.raises(BadSetting, match=sentence):
        read_recipe("lenet-fashion", given)


def test_a_criterion_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(UnknownName, match="taylor"):
        read_recipe("lenet-fashion", {"scorer": "<b>x</b>"})


def test_any_parameter_at_all_is_refused_or_read():
    for name in recipe_parameters(full()):
        for text in ("", "0", "-1", "1e999", "True", "é", ",", ":", "a:b:c", "9" * 30):
            with contextlib.suppress(PrunekitError):
                assert isinstance(read_recipe("mlp-digits", {name: text}), Recipe | None)


def test_a_sweep_comes_back_with_its_base():
    plan = Sweep(full(), ("magnitude", "taylor"), (0.3, 1 / 7), ("weight",), (0, 1, 2), controls=False)
    parameters = sweep_parameters(plan)
    assert parameters["scorers"] == "magnitude,taylor"
    assert read_sweep("mlp-digits", parameters) == plan
    usual = Sweep(Recipe("mlp-digits"), ("taylor",), (0.5,), ("channel", "weight"), (0,))
    assert read_sweep("mlp-digits", sweep_parameters(usual)) == usual


def test_an_address_without_an_axis_is_no_sweep_and_one_axis_is_enough():
    assert read_sweep("mlp-digits", recipe_parameters(Recipe("mlp-digits", amount=0.3))) is None
    assert read_sweep("mlp-digits", {"amounts": "0.3,0.6", "seed": "4"}) == Sweep(
        Recipe("mlp-digits", seed=4), ("taylor",), (0.3, 0.6), ("channel",), (4,)
    )


@pytest.mark.parametrize(
    "given", [{"amounts": "0.3,x"}, {"seeds": "1.5"}, {"granularities": "neurons"}, {"seeds": ","}]
)
def test_an_axis_that_makes_no_sense_is_refused(given):
    with pytest.raises(BadSetting):
        read_sweep("mlp-digits", given)


def test_controls_that_are_neither_on_nor_off_are_refused():
    with pytest.raises(BadSetting, match="True or False"):
        read_sweep("mlp-digits", {"amounts": "0.3", "controls": "false"})
