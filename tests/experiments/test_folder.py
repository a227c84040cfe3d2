"""Folders that are written to: made where they can be, refused before anything is lost where they cannot."""

import pytest

from prunekit.commands.app import check_home
from prunekit.core.errors import StoreUnavailable
from prunekit.experiments.folder import make_writable


def test_a_folder_is_made_with_those_above_it_and_nothing_is_left_in_it(tmp_path):
    make_writable(tmp_path / "a" / "b")
    make_writable(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_where_a_file_is_no_folder_can_be(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OSError):
        make_writable(tmp_path / "file")
    monkeypatch.setenv("PRUNEKIT_HOME", str(tmp_path / "file"))
    with pytest.raises(StoreUnavailable, match="file cannot be written to; set PRUNEKIT_HOME"):
        check_home()
