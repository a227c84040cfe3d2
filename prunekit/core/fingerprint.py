"""One short name for any plain value: equal values, equal names, on every machine."""

import hashlib
import json


def canonical(value) -> str:
    """The value as JSON with sorted keys and no spaces, the same text for equal values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def fingerprint(value, length: int = 10) -> str:
    """The first `length` hex digits of the SHA-256 of the canonical JSON of a plain value."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:length]


def checksum(path) -> str:
    """The SHA-256 of a file, as hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
