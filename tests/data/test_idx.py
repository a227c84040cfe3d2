"""idx files: round trip, and one sentence for a damaged one."""

import gzip

import numpy as np
import pytest

from prunekit.core.errors import CorruptFile
from prunekit.data.idx import read_idx, write_idx

ARRAY = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


@pytest.mark.parametrize("name", ["images-idx3-ubyte", "images-idx3-ubyte.gz"])
def test_what_is_written_is_read(tmp_path, name):
    write_idx(tmp_path / name, ARRAY)
    assert np.array_equal(read_idx(tmp_path / name), ARRAY)


def test_equal_arrays_give_equal_files(tmp_path):
    for name in ("a.gz", "b.gz"):
        write_idx(tmp_path / name, ARRAY)
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


def damaged():
    header, pixels = b"\0\0\x08\x03\0\0\0\x02\0\0\0\x03\0\0\0\x04", ARRAY.tobytes()
    return {
        "empty": b"",
        "cut header": header[:9],
        "cut pixels": header + pixels[:-1],
        "too long": header + pixels + b"!",
        "floats": b"\0\0\x0d" + header[3:] + pixels,
        "not idx": b"<html>not found</html>",
    }


@pytest.mark.parametrize("kind", damaged())
@pytest.mark.parametrize("packed", [False, True])
def test_a_damaged_file_gets_one_sentence_with_its_name(tmp_path, kind, packed):
    path = tmp_path / ("images.gz" if packed else "images")
    path.write_bytes(gzip.compress(damaged()[kind]) if packed else damaged()[kind])
    with pytest.raises(CorruptFile, match=r"images.* is damaged or cut short; .*\.$"):
        read_idx(path)


def test_a_cut_or_altered_gzip_file_gets_the_same_sentence(tmp_path):
    path = tmp_path / "images.gz"
    write_idx(path, ARRAY)
    whole = path.read_bytes()
    for data in (whole[:-9], whole[:12] + b"\xff\xff" + whole[14:], b"plain text"):
        path.write_bytes(data)
        with pytest.raises(CorruptFile, match="damaged or cut short"):
            read_idx(path)
