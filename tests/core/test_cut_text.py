"""A cut as text: what is copied is pasted back, what people type is understood, and what does not fit is named."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunekit.core.cut_text import cut_csv, cut_json, read_cut
from prunekit.core.cuts import Cut
from prunekit.core.errors import BadSetting

NAMES = ("conv1", "conv2", "fc1")
SHARES = {"conv1": 0.5, "conv2": 0.3125, "fc1": 0.0}
CUT = Cut(0.3, "global", {"conv1": 0.5}, frozenset({"fc1"}))


def read(text: str, present: Cut = Cut(0.3), granularity: str = "channel", names=NAMES) -> Cut:  # noqa: B008
    return read_cut(text, names, granularity, present)


def test_json_has_the_cut_of_the_net_and_every_layer_with_where_its_sparsity_comes_from():
    plain = json.loads(cut_json(CUT, SHARES, "channel"))
    assert plain["sparsity"] == 0.3
    assert (plain["scope"], plain["granularity"]) == ("global", "channel")
    assert plain["layers"] == [
        {"layer": "conv1", "sparsity": 0.5, "cut": "own"},
        {"layer": "conv2", "sparsity": 0.3125, "cut": "follows"},
        {"layer": "fc1", "sparsity": 0.0, "cut": "locked"},
    ]


def test_csv_has_a_line_for_the_net_and_one_for_every_layer():
    assert cut_csv(CUT, SHARES).splitlines() == [
        "layer,sparsity,cut",
        "*,0.3,global",
        "conv1,0.5,own",
        "conv2,0.3125,follows",
        "fc1,0.0,locked",
    ]


fractions = st.floats(0, 1)
cuts = st.builds(
    Cut,
    fractions,
    st.sampled_from(["global", "layer"]),
    st.dictionaries(st.sampled_from(NAMES[:2]), fractions),
    st.sets(st.just("fc1")).map(frozenset),
)


@given(cuts)
def test_what_is_copied_is_pasted_back_to_the_last_digit(cut):
    shares = dict.fromkeys(NAMES, 0.25)
    assert read(cut_json(cut, shares, "channel"), Cut(0.9, "layer")) == cut
    assert read(cut_csv(cut, shares), Cut(0.9, "layer")) == cut


@pytest.mark.parametrize(
    "text",
    [
        "conv1,0.4\nfc1,locked",
        "fc1,locked\nconv1,0.4",
        "  conv1 ,  0.4  \n\n fc1 , , locked ",
        "conv1;0,4\nfc1;0;locked",
        "conv1\t40 %\nfc1\t\tlocked",
        "conv1: 40%\nfc1: locked",
        "conv1 = .4\nfc1 LOCKED",
        "layer,sparsity,cut\nconv1,0.4,own\nconv2,0.99,follows\nfc1,0.0,locked",
        "Schicht;Anteil\nconv1;40 %\nconv2;\nfc1;;locked",
        '"layer","sparsity"\n"conv1","40 %"\n"fc1","0","locked"',
        "# my cuts\nconv1,4e-1,own,64,38\nfc1,0,locked",
        "\ufeffconv1,0.4\r\nfc1,0,locked\r\n",
        '{"overrides": {"conv1": "40 %"}, "locked": ["fc1"]}',
        '{"layers": [{"layer": "fc1", "cut": "locked"}, {"layer": "conv1", "sparsity": 0.4}]}',
        '[{"layer": "conv1", "sparsity": "0,4"}, {"layer": "fc1", "sparsity": 0, "cut": "locked"}]',
    ],
)
def test_the_same_cut_in_many_hands(text):
    assert read(text) == Cut(0.3, "global", {"conv1": 0.4}, frozenset({"fc1"}))


def test_the_shortest_json_is_layers_and_their_sparsities():
    assert read('{"conv1": 0.1, "conv2": "20 %"}').overrides == {"conv1": 0.1, "conv2": 0.2}


def test_the_cut_of_the_net_may_stand_among_the_layers():
    assert read('{"sparsity": 0.55, "conv1": 0.1}') == Cut(0.55, "global", {"conv1": 0.1})


def test_what_is_changed_in_a_copy_counts():
    text = cut_json(CUT, SHARES, "channel").replace('0.5, "cut": "own"', '0.6, "cut": "own"')
    assert read(text).overrides == {"conv1": 0.6}
    assert read(text.replace('"locked"', '"follows"')).locked == frozenset()


RECIPE = {"model": "m", "overrides": {"conv1": 0.5}, "locked": ["fc1"]}


def test_the_fields_of_a_recipe_are_taken_and_the_rest_of_it_is_not():
    assert read(json.dumps(RECIPE)) == CUT


@pytest.mark.parametrize(
    ("layer", "sparsity", "mark"),
    [
        ("conv1", 0.6, "own"),
        ("conv1", 0.5, "follows"),
        ("conv2", 0.1, "own"),
        ("conv2", 0, "locked"),
        ("fc1", 0, "own"),
    ],
)
def test_two_places_that_disagree_are_not_passed_over(layer, sparsity, mark):
    def text(row: dict) -> str:
        return json.dumps(RECIPE | {"layers": [row]})

    assert read(text({"layer": "conv1", "sparsity": 0.5, "cut": "own"})) == CUT
    with pytest.raises(BadSetting, match=f"disagree on {layer}: change both, or leave one of them out"):
        read(text({"layer": layer, "sparsity": sparsity, "cut": mark}))


def test_layers_that_are_not_named_follow_the_net_and_the_nets_own_cut_stays():
    present = Cut(0.7, "layer", {"conv1": 0.9}, frozenset({"conv2"}))
    assert read("fc1,0.2", present) == Cut(0.7, "layer", {"fc1": 0.2})


def test_rounding_and_floor_are_copied_and_pasted_back():
    bounded = Cut(0.3, round_to=8, floor=2)
    text = cut_json(bounded, SHARES, "channel")
    assert (json.loads(text)["round_to"], json.loads(text)["floor"]) == (8, 2)
    assert read(text) == bounded
    assert read(cut_json(CUT, SHARES, "channel"), present=bounded) == CUT
    assert read(cut_csv(bounded, SHARES)) == bounded
    with pytest.raises(BadSetting, match="Only channels are rounded"):
        read('{"round_to": 8}', granularity="weight")
    assert read("conv1, 40 %", present=bounded) == Cut(0.3, overrides={"conv1": 0.4}, round_to=8, floor=2)
    with pytest.raises(BadSetting, match="Round channels to must be one of"):
        read('{"round_to": 7}')
    with pytest.raises(BadSetting, match="Round channels to must be one of"):
        read("round_to,7")


def test_the_cut_of_the_net_may_be_given_too():
    assert read("*,55 %,layer\nfc1,0.2") == Cut(0.55, "layer", {"fc1": 0.2})
    assert read('{"sparsity": 0.55, "overrides": {}}') == Cut(0.55)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "There is nothing to apply"),
        ("   \n", "There is nothing to apply"),
        ("{}", "There is nothing to apply"),
        ("[]", "There is nothing to apply"),
        ("# my cuts", "There is nothing to apply"),
        ('{"layers": []}', "There is nothing to apply"),
        ('{"layers": null, "granularity": "channel", "sparsity": null}', "There is nothing to apply"),
        ("conv9,0.4\nconv8,0.1", "no layer called conv9, conv8 here; the layers are conv1, conv2, fc1"),
        ("conv9,0.4,follows", "no layer called conv9"),
        ('{"locked": ["conv9"]}', "no layer called conv9"),
        ("conv1,40", "The sparsity of conv1 must be between 0 and 1, or between 0 % and 100 %, not 40"),
        ("conv1,-0.1", "The sparsity of conv1 must be between"),
        ("conv1,120 %", "not 120 %"),
        ('{"conv1": 1.5}', "The sparsity of conv1 must be between"),
        ('{"conv1": NaN}', "The sparsity of conv1 must be between"),
        ('{"conv1": true}', "The sparsity of conv1 must be a number between 0 and 1, not “true”"),
        ('{"conv1": "much"}', "The sparsity of conv1 must be a number between 0 and 1, not “much”"),
        ('{"conv1": [1]}', "must be a number"),
        ("*,2", "Sparsity must be between"),
        ("*,0.2,nowhere", "Scope must be one of global, isomorphic, layer, erk, n:4, n:8, not “nowhere”"),
        ("conv1,0.4\nconv1,0.5", "conv1 is there twice"),
        ("conv1,0.4,cut", "conv1 is marked as “cut”; the marks are own, locked, follows"),
        ("conv1,0.4\nhow nice this is", "Line 2 is not a layer and its sparsity, like “conv1, 40 %”: “how nice"),
        ("conv1,0.4\nconv2,,0.4", "Line 2 is not"),
        ("hello", "Line 1 is not"),
        ("{", "no complete JSON: it breaks off or goes wrong in line 1, column 2"),
        ('{"conv1": ' + "9" * 5000 + "}", "no complete JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('{"overrides": [1]}', "“overrides” must map layers to sparsities"),
        ('{"locked": "conv1"}', "“locked” must be a list of layers"),
        ('{"layers": 3}', "“layers” must be a list"),
        ("[1, 2]", "“layers” must be a list"),
        ('{"scope": ["global"]}', "Scope must be one of"),
        ('{"scope": "erk"}', "ERK shares the sparsity out over weight tensors"),
        ('{"granularity": {}, "conv1": 0.1}', "Granularity must be one of"),
        ('{"granularity": "weight", "overrides": {}}', "belong to weights, and the page is set to channels: switch"),
        ("conv1.weight,0.4\nfc1.weight,0.1", "belong to weights, and the page is set to channels"),
        ("x" * 300_000, "too long"),
        ("conv1" + " " * 100_000 + "!", "Line 1 is not"),
    ],
)
def test_what_does_not_fit_is_said_in_one_sentence(text, sentence):
    with pytest.raises(BadSetting) as caught:
        read(text)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_cuts_of_channels_are_not_taken_for_those_of_weights():
    with pytest.raises(BadSetting, match="belong to channels, and the page is set to weights"):
        read("conv1,0.4", granularity="weight", names=("conv1.weight", "fc1.weight"))


@given(st.text(max_size=80))
def test_no_text_at_all_ends_in_anything_but_a_cut_or_a_sentence(text):
    try:
        assert isinstance(read(text), Cut)
    except BadSetting as error:
        assert str(error)  # noqa: PT017
