"""The state of Explore in an address: short, exact, and safe to read from others."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunekit.core.cuts import Cut, exact_count
from prunekit.core.errors import BadSetting
from prunekit.core.link import (
    Place,
    concerns_explore,
    own_cuts,
    parameters,
    read_focus,
    read_own_cuts,
    read_place,
    read_side,
    side_parameters,
)

NAMES = ("conv1", "conv2", "fc1", "fc2")
UNITS = (8, 64, 100, 3)


def test_nothing_is_said_of_what_is_at_its_default():
    assert parameters(Place("magnitude", {"p": 1}, "channel", "global", "importance", 0.3)) == {}
    assert Place() == Place("magnitude")


def test_simple_states_are_readable():
    place = Place("taylor", {}, "channel", "layer", "weights", 0.45)
    assert parameters(place) == {"criterion": "taylor", "scope": "layer", "view": "weights", "cut": "0.45"}
    assert parameters(Place("magnitude", {"p": 2}, "weight"), focus="fc1") == {
        "knob_p": "2",
        "granularity": "weight",
        "focus": "fc1",
    }


places = st.builds(
    Place,
    st.sampled_from(["magnitude", "taylor", "random"]),
    st.just({}),
    st.just("channel"),
    st.sampled_from(["global", "isomorphic", "layer"]),
    st.sampled_from(["importance", "weights"]),
    st.floats(0, 1),
    st.sampled_from([1, 8, 32]),
    st.integers(1, 100),
)


@given(places)
def test_what_is_written_is_read_back(place):
    found, faults = read_place(parameters(place))
    assert not faults
    assert found.rule == place.rule
    assert (found.scorer, found.granularity, found.scope, found.view) == (
        place.scorer,
        place.granularity,
        place.scope,
        place.view,
    )
    assert found.sparsity == pytest.approx(place.sparsity, abs=1e-9)


def test_a_knob_is_read_back_and_one_outside_its_choices_is_said():
    assert read_place({"knob_p": "2"})[0].knobs == {"p": 2}
    assert read_place({"knob_p": "0.5"})[0].knobs == {"p": 0.5}
    place, [fault] = read_place({"knob_p": "7"})
    assert place.knobs == {"p": 1}
    assert fault == "Norm must be one of 1, 2, 0.5, 3, 4, 8, not “7”."


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"criterion": "astrology"}, "There is no criterion called “astrology”; the link is shown with Magnitude."),
        ({"criterion": "bn_scale", "granularity": "weight"}, "knows nothing of weights; the link is shown with"),
        ({"granularity": "atoms"}, "must be one of weight, kernel, row, tile, channel, not “atoms”."),
        ({"scope": "x" * 5000}, "Scope in this link must be one of global, isomorphic, layer, erk, n:4, n:8, not “xxx"),
        ({"scope": "erk"}, "ERK shares the sparsity out over weight tensors"),
        ({"round_to": "8", "granularity": "weight"}, "Only channels are rounded"),
        ({"view": "sideways"}, "View in this link must be one of"),
        ({"cut": "2"}, "The cut in this link must be a number between 0 and 1, not “2”."),
        ({"cut": "nan"}, "The cut in this link"),
        ({"cut": "1e999"}, "The cut in this link"),
        ({"cut": "-0.2"}, "The cut in this link"),
        ({"cut": "٠.٢"}, "The cut in this link"),
        ({"knob_p": "9" * 5000}, "Norm must be one of 1, 2"),
    ],
)
def test_each_thing_that_makes_no_sense_is_said_in_one_sentence_and_the_rest_is_taken(given, sentence):
    place, faults = read_place({"view": "weights"} | given)
    [fault] = faults
    assert sentence in fault
    assert len(fault) < 200
    assert place == Place(
        knobs={"p": 1}, view="importance" if "view" in given else "weights", granularity=place.granularity
    )


def test_an_address_that_is_about_something_else_changes_nothing():
    assert not concerns_explore({"model": "lenet-fashion", "utm_source": "x"})
    assert concerns_explore({"cut": "0.2"})
    assert concerns_explore({"knob_p": "2"})


def test_own_cuts_are_counts_in_the_order_of_the_rows():
    cut = Cut(0.3, "global", {"conv1": 0.5, "conv2": 0.25, "fc2": 0.1}, frozenset({"fc2"}))
    mark, *entries = own_cuts(cut, NAMES, UNITS).split("_")
    assert len(mark) == 4
    assert entries == ["4", "16", "3-.1L"]
    assert own_cuts(Cut(0.3, "global", {}, frozenset({"fc1"})), NAMES, UNITS).split("_")[1:] == ["2-L"]
    assert own_cuts(Cut(0.3), NAMES, UNITS) == ""


overrides = st.dictionaries(st.sampled_from(NAMES), st.floats(0, 1))


@given(overrides, st.sets(st.sampled_from(NAMES)).map(frozenset))
def test_own_cuts_and_locks_are_read_back_to_the_exact_count(own, locked):
    text = own_cuts(Cut(0.3, "global", own, locked), NAMES, UNITS)
    if not text:
        return
    found, found_locked = read_own_cuts(text, NAMES, UNITS)
    assert found_locked == locked
    assert found.keys() == own.keys()
    for name, units in zip(NAMES, UNITS, strict=True):
        if name in own:
            assert found[name] == pytest.approx(own[name], abs=1e-11)
            assert exact_count(found[name], units) == exact_count(own[name], units)


def test_a_drag_to_37_of_64_comes_back_as_the_same_number():
    cut = Cut(0.3, "global", {"conv2": 37 / 64, "fc1": 0.33})
    assert read_own_cuts(own_cuts(cut, NAMES, UNITS), NAMES, UNITS) == (cut.overrides, frozenset())


def test_a_vgg_with_an_own_cut_in_every_layer_stays_below_three_hundred_characters():
    units = [1728, 36864, 73728, 147456, 294912, 589824, 589824, 1179648, *[2359296] * 5, 102760448, 16777216, 4096000]
    names = [f"features.{3 * i}.weight" for i in range(13)] + [f"classifier.{3 * i}.weight" for i in range(3)]
    cut = Cut(0.5, "global", {name: (n // 3) / n for name, n in zip(names, units, strict=True)}, frozenset(names[-1:]))
    query = {"model": "vgg-cifar10"}
    query |= parameters(
        Place("taylor", {}, "weight", "layer", "weights", 0.61234567), own_cuts(cut, names, units), names[3]
    )
    address = f"http://127.0.0.1:8501/explore?{urlencode(query)}"
    assert len(address) < 300


def test_a_resnet_of_fifty_five_layers_fits_too():
    units = [16] * 18 + [32] * 18 + [64] * 19
    names = [f"layer{i}" for i in range(55)]
    cut = Cut(0.5, "global", {name: 7 / n for name, n in zip(names, units, strict=True)})
    assert len(own_cuts(cut, names, units)) < 150


GOOD = own_cuts(Cut(0.3, "global", {"conv1": 0.5}), NAMES, UNITS)


@pytest.mark.parametrize(
    "text",
    [
        GOOD.split("_")[0],
        GOOD + "_",
        GOOD + "_999",
        GOOD + "_.5_.5_.5_.5",
        GOOD + "_9-1",
        GOOD + "_0-1",
        GOOD + "_-1",
        GOOD + "_x",
        GOOD + "_1e5",
        GOOD + "_" + "9" * 100_000,
        GOOD + "_L" * 100_000,
    ],
)
def test_a_damaged_link_is_left_out_with_a_sentence(text):
    with pytest.raises(BadSetting, match="are damaged; they were left out"):
        read_own_cuts(text, NAMES, UNITS)


def test_the_cuts_of_another_model_are_not_taken_for_those_of_this_one():
    with pytest.raises(BadSetting, match="belong to another model or version"):
        read_own_cuts(GOOD, NAMES, (8, 64, 100, 4))


@given(st.text("0123456789abcdef_-.L", max_size=40))
def test_no_text_ends_in_anything_but_cuts_or_a_sentence(text):
    try:
        found, locked = read_own_cuts(GOOD + text, NAMES, UNITS)
        Cut(0.3, "global", found, locked)
    except BadSetting as error:
        assert str(error)  # noqa: PT017


def test_a_layer_that_is_not_there_is_not_in_focus():
    assert read_focus("fc1", NAMES) == "fc1"
    assert read_focus("", NAMES) == ""
    with pytest.raises(BadSetting, match="no layer called “conv9” here"):
        read_focus("conv9", NAMES)


def test_a_cut_that_was_set_aside_has_parameters_of_its_own():
    place = Place("taylor", granularity="weight", scope="layer", sparsity=0.45, floor=3)
    given = parameters(Place("random"), "", "conv2") | side_parameters(place, "abcd_3")
    assert read_side(given) == (read_place(parameters(place))[0], "abcd_3")
    assert read_place(given)[0].scorer == "random"
    assert read_side(side_parameters(Place())) == (read_place({})[0], "")
    assert read_side({"cut": "0.4", "a_cut": "0.3"}) is None
    assert concerns_explore({"a": "1"})
