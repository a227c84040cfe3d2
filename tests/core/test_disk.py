"""A disk that refuses: one sentence that says what to do."""

import errno
from pathlib import Path

import pytest

from prunekit.core.disk import clear_parts, is_full, no_room, not_ours, write_whole


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG, errno.EDQUOT])
def test_no_room_is_no_room_whoever_s_share_it_is(number):
    assert is_full(OSError(number, "no"))


@pytest.mark.parametrize("error", [OSError(errno.EACCES, "no"), OSError("no number"), ValueError("no")])
def test_anything_else_is_not(error):
    assert not is_full(error)


def test_the_sentences_name_the_folder_and_what_to_set():
    assert no_room(Path("here")) == "The disk is full; free some space in here and try again."
    assert no_room() == "The disk is full; free some space and try again."
    assert not_ours(Path("there"), "--out") == "The folder there cannot be written to; set --out to another one."


def test_a_file_is_written_whole(tmp_path):
    path = tmp_path / "new" / "file"
    write_whole(path, b"old")
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert [child.name for child in path.parent.iterdir()] == ["file"]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "no room"), KeyboardInterrupt()])
def test_a_file_that_cannot_be_written_stays_as_it_was_and_nothing_is_left_behind(tmp_path, monkeypatch, error):
    path = tmp_path / "file"
    write_whole(path, b"old")

    def refuse(_number):
        raise error

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(type(error)):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert [child.name for child in tmp_path.iterdir()] == ["file"]


def test_what_a_killed_writer_left_is_cleared_away_and_nothing_else(tmp_path, monkeypatch):
    write_whole(tmp_path / "file", b"whole")
    write_whole(tmp_path / ".hidden", b"somebody's")
    with monkeypatch.context() as killed:
        killed.setattr("os.fsync", lambda _number: (_ for _ in ()).throw(SystemExit))
        killed.setattr(Path, "unlink", lambda *_args, **_named: None)  # a killed process cleans up nothing
        with pytest.raises(SystemExit):
            write_whole(tmp_path / "other", b"half")
    assert len(list(tmp_path.iterdir())) == 3
    clear_parts(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".hidden", "file"]
