"""`prunekit sweep`: a table of means, a file, an estimate, and going on where it was cut off."""

import csv
import json
import shlex
from argparse import ArgumentParser

import pytest

from prunekit.commands import main, sweep
from prunekit.core.recipe import Recipe, Training
from prunekit.core.sweep import Sweep
from prunekit.experiments.store import Store

WORDS = ["sweep", "--model", "mlp-digits", "--scorers", "magnitude", "--amounts", "0.25", "--seeds", "0,1"]
WORDS += ["--epochs", "1", "--precision", "float32"]


def options(*words: str):
    parser = ArgumentParser()
    sweep.arguments(parser)
    return parser.parse_args(list(words))


def test_runs_are_done_once_and_told_as_means_over_the_seeds(tmp_path, capsys):
    words = [*WORDS, "--state", str(tmp_path / "state"), "--out", str(tmp_path / "table.csv"), "--json"]
    assert main(words) == 0
    told = capsys.readouterr()
    answer = json.loads(told.out.splitlines()[-1])
    assert (answer["runs"], answer["finished"], answer["failed"]) == (4, 4, 0)
    assert [(r["scorer"], r["amount"], r["seeds"]) for r in answer["rows"]] == [
        ("magnitude", 0.25, 2), ("random", 0.25, 2)
    ]  # fmt: skip
    assert answer["rows"][0]["validation_spread"] >= 0
    assert "[1/4] magnitude · channels · 25 % units" in told.err
    assert "left" in told.err
    rows = list(csv.DictReader((tmp_path / "table.csv").open()))
    assert float(rows[0]["validation"]) == answer["rows"][0]["validation"]
    # Again: nothing is run, the same is told.
    assert main(words) == 0
    again = capsys.readouterr()
    assert "[1/4]" not in again.err
    assert json.loads(again.out)["rows"] == answer["rows"]
    assert main([*words, "--estimate"]) == 0
    assert json.loads(capsys.readouterr().out) == {"runs": 4, "known": 4, "seconds": 0.0, "source": ""}


def test_runs_that_were_not_timed_are_timed_when_that_is_asked_for_later(tmp_path, capsys):
    words = [*WORDS, "--seeds", "0", "--no-controls", "--epochs", "0", "--state", str(tmp_path), "--json"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["rows"][0]["speedup"] is None
    assert main([*words, "--timed"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][0]["speedup"] > 0


def test_the_time_of_a_sweep_that_was_never_run_is_measured(tmp_path, capsys):
    assert main([*WORDS, "--estimate", "--out", str(tmp_path / "table.csv")]) == 0
    assert not (tmp_path / "table.csv").exists()
    assert "4 runs, 0 of them already done" in (told := capsys.readouterr().out)
    assert "with the controls" in told
    assert "from a measured step" in told


def test_an_estimate_leaves_an_earlier_table_and_a_name_that_cannot_be_is_refused_before_any_run(tmp_path, capsys):
    table = tmp_path / "table.csv"
    table.write_text("mine")
    assert main([*WORDS, "--estimate", "--out", str(table)]) == 0
    assert table.read_text() == "mine"
    assert main([*WORDS, "--estimate", "--out", str(tmp_path / ("x" * 300))]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_cut_off_with_ctrl_c_the_same_command_goes_on(tmp_path, capsys, monkeypatch):
    words = [*WORDS, "--epochs", "4", "--no-controls", "--state", str(tmp_path)]

    def ctrl_c(event: dict) -> None:
        if event["kind"] == "epoch" and event["epoch"] == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as interrupted:
        interrupted.setattr(sweep, "_narrate", ctrl_c)
        assert main(words) == 130
    assert "Stopped with 0 of 2 runs finished; the same command goes on from there." in capsys.readouterr().err
    run = next(iter(Store(tmp_path).runs()))
    half = Store(tmp_path).files(run.id) / ".checkpoint.npz.1-2.part"
    half.write_bytes(b"what a kill in the middle of writing leaves")
    assert main(words) == 0
    assert not half.exists()
    told = capsys.readouterr()
    first = told.err.split("[2/2]")[0]
    assert "epoch 2 of 4" not in first
    assert "epoch 3 of 4" in first
    assert [run.state for run in Store(tmp_path).runs()] == ["finished"] * 2
    assert told.out.splitlines()[-1] == "Mean over 2 seeds, ± their standard deviation."


def test_a_run_that_fails_does_not_hold_up_the_others(tmp_path, capsys):
    # There is no batch norm in this net.
    words = [*WORDS, "--seeds", "0", "--epochs", "0", "--scorers", "bn_scale", "--state", str(tmp_path), "--json"]
    assert main(words) == 0
    told = capsys.readouterr()
    answer = json.loads(told.out)
    assert (answer["finished"], answer["failed"]) == (2, 1)
    assert "batch norm" in told.err
    assert main([*words, "--no-controls"]) == 1
    assert "None of these runs could be finished." in capsys.readouterr().err


def test_the_command_that_the_app_prints_gives_the_same_sweep():
    training = Training(epochs=2, augment=False)
    base = Recipe("mlp-digits", scorer="magnitude", knobs={"p": 1}, target="macs", locked=("fc1",), training=training)
    one = Sweep(base, ("taylor", "magnitude"), (0.123456789, 0.5), ("channel",), (0, 3), controls=False)
    assert sweep.sweep_of(options(*_after_sweep(one))).fingerprint == one.fingerprint
    other = Sweep(base.with_(locked=()), ("bn_scale",), (0.5,), ("weight", "channel"), (0,))
    assert sweep.sweep_of(options(*_after_sweep(other))).fingerprint == other.fingerprint
    bounded = Sweep(base.with_(locked=(), round_to=8, floor=3), ("taylor",), (0.5,), ("weight", "channel"), (0,))
    again = sweep.sweep_of(options(*_after_sweep(bounded)))
    assert again.fingerprint == bounded.fingerprint
    assert {(r.granularity, r.round_to, r.floor) for r in again.recipes()} == {("weight", 1, 3), ("channel", 8, 3)}


def _after_sweep(one: Sweep) -> list[str]:
    return shlex.split(one.command())[4:]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--scorers", "happiness"], "no criterion called “happiness”"),
        (["--scorers", ""], "at least one value for Criterion"),
        (["--amounts", "0.5,many"], "“many” is no amount"),
        (["--amounts", "50"], "between 0 and 1, not 50"),
        (["--seeds", "one"], "no list of seeds"),
        (["--granularities", "filter"], "Granularity must be one of"),
        (["--scorers", "bn_scale", "--granularities", "weight", "--no-controls"], "no answer for granularity “weight”"),
        (["--model", "lenet5000"], "no model called “lenet5000”"),
        (["--out", "no/such/folder/table.csv"], "cannot be written; choose another --out"),
        (["--knob", "p"], "NAME=VALUE"),
        (["--round-to", "6"], "Round channels to must be one of"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(words, sentence, capsys):
    assert main(["sweep", *words]) == 2
    assert sentence in capsys.readouterr().err


def test_two_processes_do_not_run_in_one_folder(tmp_path, capsys):
    from filelock import FileLock

    with FileLock(tmp_path / "lock"):
        assert main([*WORDS, "--state", str(tmp_path)]) == 2
    assert "Another process is running a sweep" in capsys.readouterr().err


def test_what_is_left_out_is_said(capsys):
    assert main([*WORDS, "--scorers", "bn_scale", "--granularities", "weight,channel", "--estimate"]) == 0
    assert "left out: bn_scale has no answer for granularity weight" in capsys.readouterr().err
