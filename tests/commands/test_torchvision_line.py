"""Torchvision's networks on the command line: listed, scored, measured, and refused in one sentence."""

import json

import pytest

from prunekit.commands import main
from prunekit.core.cards import model_cards


@pytest.fixture
def line(capsys):
    """Runs a command in this process: (exit code, its last line as JSON, what it told people)."""

    def run(*words: str):
        code = main([*words, "--json"])
        printed = capsys.readouterr()
        return code, json.loads(printed.out.splitlines()[-1]), printed.err

    return run


def test_they_are_listed_when_they_are_asked_for(line):
    _code, plain, _told = line("models", "--torchvision")
    listed = {model["id"]: model for model in plain["models"]}
    assert len(listed) == 80
    assert listed["torchvision/resnet18"]["parameters"] == 11_689_512
    assert listed["torchvision/resnet18"]["published"]["id"] == "torchvision/resnet18/published"


def test_the_list_of_sample_models_stays_short_and_names_the_way_to_the_others(line, capsys):
    _code, plain, _told = line("models")
    assert [model["id"] for model in plain["models"]] == list(model_cards())
    main(["models"])
    assert "80 of torchvision's networks: see `models --torchvision`" in capsys.readouterr().out


def test_criteria_that_look_at_the_weights_score_them(line):
    code, plain, _told = line("score", "--model", "torchvision/squeezenet1_1", "--scorer", "magnitude")
    assert code == 0
    assert len(plain["rows"]) == 25


@pytest.mark.parametrize("command", ["score", "prune"])
def test_what_needs_data_is_refused_in_one_sentence(line, command):
    code, plain, told = line(command, "--model", "torchvision/squeezenet1_1", "--scorer", "taylor")
    assert code == 2
    assert plain["error"].startswith("squeezenet1_1 (untrained) has no data set here")
    assert len(told.strip().splitlines()) == 1


def test_their_cost_is_measured_at_the_batch_sizes_that_are_asked_for(line):
    code, plain, _told = line("profile", "--model", "torchvision/mobilenet_v3_small", "--batch", "1", "--batch", "2")
    assert code == 0
    assert set(plain["latency"]) == {"1", "2"}
    assert plain["parameters"] == 2_542_856


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["profile", "--model", "torchvision/resnet19"], "did you mean resnet18"),
        (["profile", "--model", "torchvision/resnet18", "--batch", "0"], "from 1 to 4096"),
        (["score", "--model", "torchvision/"], "lists all 80"),
    ],
)
def test_bad_input_is_one_sentence(line, words, sentence):
    code, plain, _told = line(*words)
    assert code == 2
    assert sentence in plain["error"]
