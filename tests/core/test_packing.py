"""Plain values and arrays go through bytes unchanged, and damaged bytes are refused."""

import io
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunekit.core.errors import CorruptFile
from prunekit.core.packing import pack, unpack

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(plain)
def test_plain_values_come_back(value):
    assert unpack(pack(value)) == value


@pytest.mark.parametrize("compress", [False, True])
def test_arrays_come_back_bit_for_bit_with_their_kind_and_shape(compress):
    arrays = [
        np.arange(6, dtype=np.float32).reshape(2, 3),
        np.array([True, False]),
        np.array([], dtype=np.int64),
        np.array(3.5),
        np.array([np.nan, -np.inf, -0.0]),
    ]
    again = unpack(pack({"deep": [{"in": arrays}], "n": 1}, compress=compress))
    for before, after in zip(arrays, again["deep"][0]["in"], strict=True):
        assert (after.dtype, after.shape, after.tobytes()) == (before.dtype, before.shape, before.tobytes())


def test_numbers_of_numpy_become_plain_and_tuples_lists():
    again = unpack(pack({"count": np.int64(3), "share": np.float32(0.5), "pair": (1, 2)}))
    assert again == {"count": 3, "share": 0.5, "pair": [1, 2]}
    assert type(again["count"]) is int


def test_objects_are_not_smuggled_in_as_pickles():
    with pytest.raises((TypeError, ValueError)):
        pack({"thing": object()})
    with pytest.raises(ValueError, match="allow_pickle"):
        pack({"things": np.array([object()])})


@pytest.mark.parametrize("compress", [False, True])
def test_damaged_bytes_are_refused_or_harmless_and_never_another_error(compress):
    whole = pack({"a": np.arange(40, dtype=np.float32), "b": [1, {"c": None}]}, compress=compress)
    lots = random.Random(0)
    refused = 0
    for _attempt in range(600):
        place = lots.randrange(len(whole))
        damaged = whole[:place] + bytes([lots.randrange(256)]) + whole[place + 1 :]
        try:
            unpack(damaged)
        except CorruptFile:
            refused += 1
    assert refused > 300  # the rest hit names and dates in the archive that nobody reads


@pytest.mark.parametrize("compress", [False, True])
def test_bytes_cut_short_are_refused_in_one_sentence(compress):
    whole = pack({"a": np.arange(40, dtype=np.float32)}, compress=compress)
    for length in range(0, len(whole), 7):
        with pytest.raises(CorruptFile, match="delete the cache folder"):
            unpack(whole[:length])


def bare_array() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.arange(3))
    return buffer.getvalue()


@pytest.mark.parametrize("data", [b"", b"not an archive", bare_array()])
def test_bytes_of_something_else_are_refused(data):
    with pytest.raises(CorruptFile):
        unpack(data)
