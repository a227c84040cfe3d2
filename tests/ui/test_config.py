"""How the app is served and coloured."""

import tomllib

import pytest

from prunekit.ui.frame import ROOT

CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))


def test_the_app_listens_on_this_machine_alone_and_answers_to_its_names_only():
    assert CONFIG["server"]["address"] == "127.0.0.1"
    assert set(CONFIG["server"]["allowedHosts"]) == {"127.0.0.1", "localhost"}


def test_nobody_is_counted_watched_or_asked_for_an_address():
    assert CONFIG["browser"]["gatherUsageStats"] is False
    assert CONFIG["server"]["fileWatcherType"] == "none"
    assert CONFIG["server"]["showEmailPrompt"] is False


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_each_theme_has_the_ten_colours_that_charts_need(theme):
    # With fewer, charts fall back to colours of their own.
    assert len(set(CONFIG["theme"][theme]["chartCategoricalColors"])) == 10
