"""A disk that refuses: one sentence that says what to do."""

import errno
from pathlib import Path

import pytest

from prunekit.core.disk import is_full, no_room, not_ours


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
