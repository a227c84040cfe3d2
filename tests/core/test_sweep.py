"""Sweeps: how many runs, in which order, what is left out, and what is refused."""

import pytest

from prunekit.core.errors import BadSetting, NeedsData, UnknownName
from prunekit.core.recipe import Recipe, Training
from prunekit.core.sweep import MOST_RUNS, Sweep, read_amounts

BASE = Recipe("mlp-digits", training=Training(epochs=1))


def sweep(**changes) -> Sweep:
    plan = {"base": BASE, "scorers": ("taylor",), "amounts": (0.3, 0.5), "granularities": ("channel",), "seeds": (0, 1)}
    return Sweep(**plan | changes)


def test_two_amounts_two_seeds_and_three_criteria_are_twelve_runs():
    assert len(sweep().recipes()) == 2 * 2 * 3


def test_random_and_magnitude_are_always_among_the_criteria_unless_unticked():
    assert sweep().criteria == ("taylor", "magnitude", "random")
    assert sweep(scorers=("random", "taylor")).criteria == ("random", "taylor", "magnitude")
    assert sweep(controls=False).criteria == ("taylor",)


def test_all_criteria_run_at_the_first_amount_before_the_next_and_all_of_the_first_seed_before_the_second():
    order = [(r.seed, r.amount, r.scorer) for r in sweep().recipes()]
    assert order[:4] == [(0, 0.3, "taylor"), (0, 0.3, "magnitude"), (0, 0.3, "random"), (0, 0.5, "taylor")]
    assert [seed for seed, *_rest in order] == [0] * 6 + [1] * 6


def test_a_value_given_twice_counts_once():
    assert len(sweep(amounts=(0.5, 0.5), seeds=(1, 1), scorers=("taylor", "taylor")).recipes()) == 3


def test_a_criterion_without_an_answer_for_a_granularity_is_left_out_and_told():
    both = sweep(scorers=("bn_scale",), granularities=("weight", "channel"), amounts=(0.5,), seeds=(0,))
    assert both.left_out() == (("bn_scale", "weight"),)
    assert {(r.scorer, r.granularity) for r in both.recipes()} == {
        ("bn_scale", "channel"), ("magnitude", "weight"), ("magnitude", "channel"),
        ("random", "weight"), ("random", "channel"),
    }  # fmt: skip


def test_the_knobs_are_those_of_their_own_criterion_and_the_others_have_their_defaults():
    base = Recipe("mlp-digits", scorer="magnitude", knobs={"p": 1})
    knobs = {r.scorer: r.knobs for r in sweep(base=base).recipes()}
    assert knobs == {"taylor": {}, "magnitude": {"p": 1}, "random": {}}


def test_a_sweep_comes_back_from_its_plain_values():
    one = sweep(title="mine", controls=False)
    assert Sweep.from_plain(one.to_plain()) == one


def test_the_same_runs_in_another_order_are_the_same_sweep_whatever_it_is_called():
    assert sweep().fingerprint == sweep(amounts=(0.5, 0.3), seeds=(1, 0), title="mine").fingerprint
    assert sweep().fingerprint == sweep(scorers=("random", "magnitude", "taylor"), controls=False).fingerprint
    assert sweep().fingerprint != sweep(seeds=(0,)).fingerprint


def test_the_name_says_the_plan_unless_people_gave_one():
    assert sweep().name() == "taylor, magnitude, random · channels · 30, 50 % units · 2 seeds · 1 epoch"
    assert sweep(title="For the talk").name() == "For the talk"
    rounded = Recipe("mlp-digits", round_to=8)
    assert "multiples of 8" in sweep(base=rounded).name()
    assert "multiples of 8" not in sweep(base=rounded, granularities=("weight",)).name()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"amounts": (0.5, 1.5)}, "between 0 and 1, not 1.5"),
        ({"amounts": ()}, "at least one value for Amount"),
        ({"seeds": (0.5,)}, "whole number"),
        ({"seeds": "012"}, "“seeds” in a sweep must be a list"),
        ({"granularities": ("filter",)}, "Granularity must be one of"),
        ({"scorers": ("bn_scale",), "granularities": ("weight",), "controls": False}, "None of these criteria"),
        ({"seeds": tuple(range(1000))}, f"6000 runs; {MOST_RUNS} are the most"),
        ({"title": 7}, "title is text"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(changes, sentence):
    with pytest.raises(BadSetting, match=sentence):
        sweep(**changes)


def test_an_unknown_criterion_is_named():
    with pytest.raises(UnknownName, match="happiness"):
        sweep(scorers=("happiness",))


def test_own_cuts_go_with_their_own_granularity_only():
    base = Recipe("mlp-digits", locked=("fc1",))
    assert all(r.locked == ("fc1",) for r in sweep(base=base).recipes())
    with pytest.raises(BadSetting, match="belong to one granularity"):
        sweep(base=base, granularities=("weight", "channel"))


def test_bytes_are_a_target_of_channels_only():
    base = Recipe("mlp-digits", target="bytes")
    assert all(recipe.target == "bytes" for recipe in sweep(base=base).recipes())
    with pytest.raises(BadSetting, match="Zeros take as much room"):
        sweep(base=base, granularities=("weight", "channel"))


@pytest.mark.parametrize(("plain", "sentence"), [([], "JSON object"), ({"base": {}}, "needs “scorers”")])
def test_a_plan_that_is_not_one_is_one_sentence(plain, sentence):
    with pytest.raises(BadSetting, match=sentence):
        Sweep.from_plain(plain)


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        ("30, 50, 70", (0.3, 0.5, 0.7)),
        ("30 50 %70%", (0.3, 0.5, 0.7)),
        ("37.5 %", (0.375,)),
        ("37,5; 50", (0.375, 0.5)),
        ("50,50.0,  50 %", (0.5,)),
        ("0 100", (0.0, 1.0)),
        (" , ", ()),
    ],
)
def test_amounts_are_read_as_people_type_them(text, amounts):
    assert read_amounts(text) == amounts


def test_on_the_command_line_amounts_are_fractions_unless_they_have_a_sign():
    assert read_amounts("0.3,50%", percent=False) == (0.3, 0.5)


@pytest.mark.parametrize(
    ("text", "percent", "sentence"),
    [
        ("30, half", True, "“half” is no amount"),
        ("30 to 50", True, "“to” is no amount"),
        ("130", True, "between 0 % and 100 %, not 130"),
        ("30", False, "between 0 and 1, not 30"),
        ("nan", True, "not nan"),
        ("-5", True, "not -5"),
    ],
)
def test_an_amount_that_is_none_is_one_sentence(text, percent, sentence):
    with pytest.raises(BadSetting, match=sentence):
        read_amounts(text, percent)


def test_a_network_without_data_cannot_be_swept_and_says_why():
    with pytest.raises(NeedsData, match="no data set"):
        Sweep(Recipe("torchvision/resnet18", scorer="magnitude"), ("magnitude",), (0.5,), ("channel",), (0,))


def test_a_sweep_with_a_teacher_has_a_name_of_its_own():
    taught = Recipe("mlp-digits", training=Training(distillation=0.5))
    names = [Sweep(base, ("taylor",), (0.5,), ("channel",), (0,)).name() for base in (Recipe("mlp-digits"), taught)]
    assert names[1] == f"{names[0]} · distillation 0.5"


def test_too_few_epochs_for_one_of_its_criteria_are_refused_when_a_sweep_is_planned():
    base = Recipe("lenet-fashion", training=Training(epochs=1))
    with pytest.raises(BadSetting, match="Movement looks at how weights move"):
        Sweep(base, ("taylor", "movement"), (0.5,), ("channel",), (0,))
