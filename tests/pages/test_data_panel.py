"""The Data button of the Start page: what there is, the download's story, and the badge in the header."""

import shutil
from pathlib import Path

import pytest

from prunekit.core.data_folder import FULL_SETS
from prunekit.experiments import downloads
from prunekit.experiments.downloads import DONE, DOWNLOADING, FAILED, UNPACKING, look_at_download, tell_download
from prunekit.ui.panels import data_panel
from tests.app_over_toy import AppOverToy, component, elements

NAME = "fashion-mnist"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PRUNEKIT_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def app(monkeypatch, folder):
    return AppOverToy(monkeypatch)


def full_set_arrives(folder: Path) -> None:
    for name in FULL_SETS[NAME][0]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def texts(at) -> str:
    return " ".join(e.value for e in [*at.markdown, *at.caption, *at.warning, *at.success, *at.info])


def progress_bars(at) -> list:
    return [e.proto for e in elements(at) if e.type == "progress"]


def button(at, key: str):
    return at.button(key=key)


def test_the_data_of_the_chosen_model_is_told_with_its_licence_and_source(app):
    at = app.open("start")
    assert "**Fashion-MNIST**, the shipped part: 6,000 training, 1,000 validation and 10,000 test" in texts(at)
    assert "Licence: MIT. Source: https://github.com/zalandoresearch/fashion-mnist" in texts(at)
    assert button(at, "download_data").label == "Download the full set (30.9 MB)"
    assert "fashion-mnist, shipped part" in texts(at)


def test_a_set_that_is_shipped_whole_offers_no_download(app):
    at = app.open("start", {"model": "mlp-digits"})
    assert "**Digits**, shipped whole: 1,078 training" in texts(at)
    assert "download_data" not in [b.key for b in at.button]
    assert "shipped part" not in texts(at)


def test_a_model_without_data_has_no_data_button(app):
    at = app.open("start", {"model": "torchvision/resnet18"})
    assert "download_data" not in [b.key for b in at.button]
    assert "no data set" in texts(at)


def test_a_press_starts_one_process_and_a_second_press_none(app, monkeypatch):
    started = []

    class Process:
        pid = downloads.os.getpid()

    monkeypatch.setattr(downloads, "_spawn", lambda name: started.append(name) or Process)
    at = app.open("start")
    button(at, "download_data").click().run()
    assert started == [NAME]
    assert button(at, "download_data").disabled
    assert "asking the server" in progress_bars(at)[0].text
    data_panel._start(NAME)  # another tab, drawn before the first press
    assert started == [NAME]


def test_a_download_that_is_going_on_is_seen_by_every_visitor_and_after_a_reload(app):
    tell_download(NAME, DOWNLOADING, 15_000_000, 30_000_000)
    for _visit in range(2):
        at = app.open("start")
        [bar] = progress_bars(at)
        assert (bar.value, bar.text) == (50, "Fashion-MNIST: 15.0 MB of 30.0 MB; it goes on when you leave this page.")
        assert button(at, "download_data").disabled
        assert component(at, "again")["seconds"] > 0


def test_the_bar_follows_and_the_page_says_when_the_full_set_is_used(app, folder):
    tell_download(NAME, UNPACKING, 30_000_000, 30_000_000)
    at = app.open("start")
    assert "unpacking and checking" in progress_bars(at)[0].text
    full_set_arrives(folder)
    tell_download(NAME, DONE, 30_000_000, 30_000_000)
    at.run()
    assert progress_bars(at) == []
    assert "The full Fashion-MNIST is here and is used from now on." in at.success[0].value
    assert "the full set: 54,000 training" in texts(at)
    assert "fashion-mnist, full set" in texts(at)
    assert "download_data" not in [b.key for b in at.button]
    assert component(at, "again")["seconds"] == 0


def test_a_visitor_who_comes_later_finds_the_full_set_without_a_fuss(app, folder):
    full_set_arrives(folder)
    tell_download(NAME, DONE, 1, 1)
    at = app.open("start")
    assert not at.success
    assert "the full set: 54,000 training" in texts(at)
    assert str(folder) in texts(at)


def test_offline_is_said_and_the_button_offers_another_try(app):
    tell_download(NAME, FAILED, sentence="server_1 cannot be reached.")
    at = app.open("start")
    assert at.warning[0].value == r"server\_1 cannot be reached\. Until then the shipped part is used."
    assert button(at, "download_data").label == "Download again (30.9 MB)"
    assert not button(at, "download_data").disabled


def test_a_failure_of_yesterday_is_no_news(app, monkeypatch):
    tell_download(NAME, FAILED, sentence="It failed.")
    monkeypatch.setattr(data_panel, "NEWS_SECONDS", -1)
    assert not app.open("start").warning


def test_a_set_that_was_taken_away_again_can_be_fetched_again(app, folder):
    full_set_arrives(folder)
    tell_download(NAME, DONE, 1, 1)
    at = app.open("start")
    shutil.rmtree(folder)
    at.run()
    assert button(at, "download_data").label == "Download the full set (30.9 MB)"


def test_a_home_that_cannot_be_written_to_is_said_where_the_button_is(app, tmp_path, monkeypatch):
    at = app.open("start")
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("PRUNEKIT_HOME", str(tmp_path / "file" / "home"))
    button(at, "download_data").click().run()
    assert "PRUNEKIT" in at.warning[0].value


def test_stop_ends_the_download(app, monkeypatch):
    process = downloads.subprocess.Popen([downloads.sys.executable, "-c", "import time; time.sleep(60)"])
    monkeypatch.setattr(downloads, "_spawn", lambda _name: process)
    at = app.open("start")
    button(at, "download_data").click().run()
    assert process.poll() is None
    button(at, "stop_data").click().run()
    assert process.poll() is not None
    assert look_at_download(NAME).state == "stopped"
    assert progress_bars(at) == []
    assert button(at, "download_data").label == "Download again (30.9 MB)"
