"""How the app is served and coloured."""

import http.client
import re
import tomllib
import urllib.parse

import pytest

from prunekit.ui.frame import ROOT
from tests.browser.driving import served

CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))


def test_the_app_listens_on_this_machine_alone_and_answers_to_its_names_only():
    assert CONFIG["server"]["address"] == "127.0.0.1"
    assert set(CONFIG["server"]["allowedHosts"]) == {"127.0.0.1", "localhost"}


def test_what_the_readme_says_for_a_class_serves_the_address_it_names_and_no_other(tmp_path):
    [told] = re.findall(r"^    python (-m streamlit run .*allowedHosts.*)$", (ROOT / "README.md").read_text(), re.M)
    words = told.replace("192.168.1.20", "class.example").split()
    with served(tmp_path, *words, "--server.port", "{port}", PRUNEKIT_ENGINE="off") as url:
        answers = {host: _handshake(url, host) for host in ("class.example", "evil.example")}
    assert answers == {"class.example": 101, "evil.example": 403}


def _handshake(url: str, host: str) -> int:
    """What the app answers to a page of `host` that wants to talk to it."""
    port = urllib.parse.urlsplit(url).port
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    asked = {"Host": f"{host}:{port}", "Origin": f"http://{host}:{port}", "Connection": "Upgrade"}
    asked |= {"Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
    connection.request("GET", "/_stcore/stream", headers=asked)
    try:
        return connection.getresponse().status
    finally:
        connection.close()


def test_nobody_is_counted_watched_or_asked_for_an_address():
    assert CONFIG["browser"]["gatherUsageStats"] is False
    assert CONFIG["server"]["fileWatcherType"] == "none"
    assert CONFIG["server"]["showEmailPrompt"] is False


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_each_theme_has_the_ten_colours_that_charts_need(theme):
    # With fewer, charts fall back to colours of their own.
    assert len(set(CONFIG["theme"][theme]["chartCategoricalColors"])) == 10
