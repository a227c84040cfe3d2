"""The command line: one JSON object last on stdout, progress on stderr, exit codes that mean something."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

FIGURES = [
    "sparsity_target",
    "sparsity_actual",
    "metric",
    "validation_baseline",
    "validation_pruned",
    "validation_finetuned",
    "test_baseline",
    "test_finetuned",
    "parameters_before",
    "parameters_after",
    "nonzero_after",
    "macs_before",
    "macs_after",
    "bytes_before",
    "bytes_after",
    "latency_ms_before",
    "latency_ms_after",
    "speedup",
    "seed",
    "run_id",
]


def prunekit(*words: str, code: int = 0) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "prunekit", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def answer(*words: str) -> dict:
    return json.loads(prunekit(*words, "--json").stdout.splitlines()[-1])


def test_models_are_listed_with_their_cards():
    listed = {model["id"]: model for model in answer("models")["models"]}
    assert {"lenet-fashion", "mlp-digits"} <= set(listed)
    assert listed["lenet-fashion"]["input_shape"] == [1, 28, 28]


@pytest.mark.parametrize("words", [("models",), ("models", "--json")])
def test_a_reader_that_has_read_enough_is_no_error(words):
    command = [sys.executable, "-m", "prunekit", *words]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(60) == 0


def test_scores_are_summed_up_a_line_a_layer():
    rows = answer("score", "--model", "mlp-digits", "--scorer", "taylor", "--granularity", "channel")["rows"]
    assert [row["name"] for row in rows][:1] == ["fc1"]
    assert all(row["lowest"] <= row["median"] <= row["highest"] for row in rows)


def test_prune_says_everything_about_the_run_and_writes_a_model_that_loads(tmp_path):
    import prunekit as pk

    words = ["prune", "--model", "mlp-digits", "--target", "parameters=0.5", "--epochs", "1", "--seed", "3"]
    done = prunekit(*words, "--precision", "float32", "--out", str(tmp_path / "out"), "--json")
    assert len(done.stdout.splitlines()) == 1
    assert "epoch 1 of 1" in done.stderr
    result = json.loads(done.stdout)
    assert set(FIGURES) <= set(result)
    assert result["parameters_after"] <= 0.5 * result["parameters_before"]
    assert result["seed"] == 3
    assert result["speedup"] > 0
    loaded = pk.load(tmp_path / "out")
    assert sum(p.numel() for p in loaded.parameters()) == result["parameters_after"]


def test_the_same_seed_gives_the_same_figures():
    words = ["prune", "--model", "mlp-digits", "--sparsity", "0.5", "--granularity", "weight", "--epochs", "1"]
    first, second = (answer(*words, "--precision", "float32") for _ in range(2))
    assert first["validation_finetuned"] == second["validation_finetuned"]
    assert first["sparsity_actual"] == 0.5


def test_a_run_can_be_repeated_from_the_command_the_app_prints():
    from prunekit.core.recipe import Recipe, Training

    recipe = Recipe("mlp-digits", amount=0.25, locked=("fc2",), overrides={"fc1": 0.5}, training=Training(epochs=0))
    assert answer(*recipe.command().split()[3:])["fingerprint"] == recipe.fingerprint


def test_profile_measures_what_a_model_costs():
    plain = answer("profile", "--model", "mlp-digits")
    assert plain["parameters"] == plain["nonzero"] > 0
    assert set(plain["latency"]) == {"1", "64"}


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["prune", "--sparsity", "2"], 2, "between 0 and 1"),
        (["prune", "--model", "lenet5000"], 2, "no model called “lenet5000”"),
        (["prune", "--epochs", "many"], 2, "--epochs"),
        (["prune", "--target", "happiness=0.5"], 2, "Target must be one of"),
        (["prune", "--target", "parameters"], 2, "NAME=VALUE"),
        (["prune", "--lock", "fc99", "--epochs", "0"], 2, "fc99"),
        (["prune", "--scorer", "nothing", "--epochs", "0"], 2, "nothing"),
        (["score", "--scorer", "bn_scale", "--model", "mlp-digits", "--granularity", "channel"], 2, "batch norm"),
        (["profile", "--folder", "no/such/folder"], 3, "no/such/folder"),
        (["app", "--port", "70000"], 2, "1 to 65535"),
    ],
)
def test_bad_input_is_one_sentence_and_an_exit_code(words, code, sentence):
    done = prunekit(*words, code=code)
    assert sentence in done.stderr
    assert done.stderr.strip().splitlines()[-1].startswith("prunekit: ")


def test_an_error_is_json_too_when_json_was_asked_for():
    done = prunekit("prune", "--sparsity", "2", "--json", code=2)
    assert json.loads(done.stdout) == {"error": "Sparsity must be between 0 and 1, not 2.0.", "exit_code": 2}


def test_a_port_in_use_is_said_before_anything_starts():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = prunekit("app", "--port", str(port), code=2)
    assert f"Port {port} is in use" in done.stderr


def test_a_home_that_cannot_be_written_to_is_said_before_anything_starts(monkeypatch):
    monkeypatch.setenv("PRUNEKIT_HOME", "/proc/nope")
    done = prunekit("app", "--no-browser", "--port", "58431", code=5)
    assert "/proc/nope cannot be written to" in done.stderr


def test_a_corrupt_model_is_named(tmp_path):
    (tmp_path / "weights.safetensors").write_bytes(b"rubbish")
    (tmp_path / "plan.json").write_text("{}")
    done = prunekit("profile", "--folder", str(tmp_path), code=3)
    assert str(tmp_path) in done.stderr
