"""`prunekit data`: the list, and a download's exit codes and progress."""

import json
import subprocess
import sys
from pathlib import Path

from prunekit.commands import main
from prunekit.core.data_folder import FULL_SETS
from prunekit.experiments.downloads import FAILED, look_at_download

ROOT = Path(__file__).resolve().parents[2]


def data(*words: str, code: int = 0) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "prunekit", "data", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_the_sets_are_listed_with_what_is_shipped_and_what_is_there(tmp_path, monkeypatch):
    monkeypatch.setenv("PRUNEKIT_DATA", str(tmp_path))
    (tmp_path / "cifar10").mkdir()
    for name in FULL_SETS["cifar10"][1]:
        (tmp_path / name).write_bytes(b"12345")
    answer = json.loads(data("--json").stdout)
    rows = {row["id"]: row for row in answer["data"]}
    assert answer["folder"] == str(tmp_path)
    assert rows["cifar10"]["shipped"] == {"train": 5000, "validation": 1000, "test": 2000}
    assert (rows["cifar10"]["full_folder"], rows["cifar10"]["full_bytes"]) == (str(tmp_path / "cifar10"), 8 * 5)
    assert not rows["fashion-mnist"]["full_is_there"]
    assert rows["digits"]["shipped_whole"]
    text = data().stdout
    assert f"in {tmp_path / 'cifar10'}, 40 bytes" in text
    assert "not there; --download fashion-mnist gets it (30.9 MB)" in text


def test_offline_is_one_sentence_and_an_exit_code(tmp_path, monkeypatch, capsys):
    from torchvision.datasets import CIFAR10

    monkeypatch.setenv("PRUNEKIT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(CIFAR10, "url", "http://127.0.0.1:9/cifar-10-python.tar.gz")  # nobody listens there
    assert main(["data", "--download", "cifar10", "--json"]) == 6
    printed = capsys.readouterr()
    said = json.loads(printed.out)
    assert said["exit_code"] == 6
    assert said["error"].startswith("127.0.0.1 cannot be reached, so CIFAR-10 was not downloaded; ")
    assert printed.err.strip().splitlines()[-1] == f"prunekit: {said['error']}"
    # The app shows what happened, whoever asked for the download.
    assert look_at_download("cifar10").state == FAILED
    assert look_at_download("cifar10").sentence == said["error"]
    assert not list((tmp_path / "data").glob("cifar*"))


def test_an_unknown_set_is_answered_with_the_names_that_would_do():
    assert "choose one of: cifar10, digits, fashion-mnist" in data("--download", "cifar100", code=2).stderr
