"""Downloads in processes of their own: what they tell, that they outlive who asked, and that their death is noticed."""

import json
import os
from pathlib import Path

import psutil
import pytest

from prunekit.commands import main
from prunekit.core.errors import StoreUnavailable
from prunekit.experiments.downloads import (
    DONE,
    DOWNLOADING,
    FAILED,
    STARTING,
    STOPPED,
    look_at_download,
    start_download,
    stop_download,
    tell_download,
)
from tests.conftest import wait_for
from tests.data.download_server import Server, serving

NAME = "fashion-mnist"  # its server speaks plain HTTP, so a proxy can stand in for it


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("PRUNEKIT_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def slow_net(data, monkeypatch):
    """A network behind a proxy that serves a file of the right name that never ends."""
    server = Server({"train-images-idx3-ubyte.gz": bytes(20_000_000)}, pause=0.05)
    with serving(server):
        monkeypatch.setenv("http_proxy", server.address)
        monkeypatch.setenv("no_proxy", "")
        yield server


def test_nothing_is_told_of_a_set_that_nobody_asked_for(data):
    assert look_at_download(NAME) is None


def test_a_download_is_followed_and_ends_when_it_is_told_to(slow_net, data, capsys):
    start_download(NAME)
    first = look_at_download(NAME)
    assert first.state == STARTING
    assert os.getsid(first.pid) == first.pid  # in a session of its own: it outlives the server and its terminal
    start_download(NAME)  # a double click, or another visitor
    assert look_at_download(NAME).pid == first.pid
    going = wait_for(lambda: (d := look_at_download(NAME)).bytes > 0 and d, what="progress")
    assert (going.state, going.total, going.pid) == (DOWNLOADING, 30_878_645, first.pid)
    # A second process finds the first one at it, says so, and leaves its news alone.
    assert main(["data", "--download", NAME, "--json"]) == 5
    assert "already; wait until that is done" in json.loads(capsys.readouterr().out)["error"]
    assert (look_at_download(NAME).state, look_at_download(NAME).pid) == (DOWNLOADING, first.pid)
    assert list(data.rglob("train-images-idx3-ubyte.gz"))
    stop_download(NAME)
    assert look_at_download(NAME).state == STOPPED
    assert not list(data.rglob("train-images-idx3-ubyte.gz"))
    wait_for(lambda: not alive(first.pid), what="the end of the process")


def test_a_process_that_was_killed_is_noticed_and_can_be_started_again(slow_net, data):
    start_download(NAME)
    first = look_at_download(NAME)
    psutil.Process(first.pid).kill()
    failed = wait_for(lambda: (d := look_at_download(NAME)).state == FAILED and d, what="the failure")
    assert failed.sentence == "The download ended before it was done; start it again."
    start_download(NAME)
    assert look_at_download(NAME).pid != first.pid
    stop_download(NAME)
    stop_download(NAME)  # a second press has nothing to stop
    assert look_at_download(NAME).state == STOPPED


def test_a_process_number_that_another_process_has_now_is_not_taken_for_the_download(data):
    tell_download(NAME, DOWNLOADING, 5, 10)
    assert look_at_download(NAME).state == DOWNLOADING  # this very process
    path = Path(os.environ["PRUNEKIT_HOME"]) / "downloads" / f"{NAME}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"born": 1.0}))
    assert look_at_download(NAME).state == FAILED


def test_what_is_told_is_read_back(data):
    tell_download(NAME, DONE, 10, 10)
    told = look_at_download(NAME)
    assert (told.state, told.bytes, told.total, told.is_active) == (DONE, 10, 10, False)


@pytest.mark.parametrize("rubbish", ["", "{", "[]", '{"name": "x"}', '{"surplus": 1}', "null"])
def test_a_damaged_file_of_news_is_no_news(data, rubbish):
    tell_download(NAME, DONE)
    (Path(os.environ["PRUNEKIT_HOME"]) / "downloads" / f"{NAME}.json").write_text(rubbish)
    assert look_at_download(NAME) is None


def test_a_home_that_cannot_be_written_to_is_said_and_stops_no_download_by_hand(data, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("PRUNEKIT_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(StoreUnavailable, match="set PRUNEKIT_HOME"):
        start_download(NAME)
    tell_download(NAME, DOWNLOADING, 1, 2)
    assert look_at_download(NAME) is None


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
