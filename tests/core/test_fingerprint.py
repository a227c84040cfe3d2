"""Equal values have equal names, on every machine."""

import hashlib

import pytest

from prunekit.core.fingerprint import canonical, checksum, fingerprint


def test_the_order_of_keys_does_not_matter_and_everything_else_does():
    assert fingerprint({"a": 1, "b": [1, 2]}) == fingerprint({"b": [1, 2], "a": 1})
    assert fingerprint({"a": [1, 2]}) != fingerprint({"a": [2, 1]})
    assert fingerprint(1) != fingerprint("1")


def test_a_fingerprint_never_changes_between_versions():
    """Runs and cached answers of older versions are found by it."""
    assert canonical({"b": "é", "a": [1, 0.5, None, True]}) == '{"a":[1,0.5,null,true],"b":"\\u00e9"}'
    assert (
        fingerprint({"b": "é", "a": [1, 0.5, None, True]})
        == hashlib.sha256(b'{"a":[1,0.5,null,true],"b":"\\u00e9"}').hexdigest()[:10]
    )
    assert len(fingerprint("x", 15)) == 15


def test_what_is_not_a_number_has_no_fingerprint():
    with pytest.raises(ValueError, match="JSON"):
        fingerprint(float("nan"))


def test_the_checksum_of_a_file_is_its_sha256(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"prune")
    assert checksum(file) == hashlib.sha256(b"prune").hexdigest()
