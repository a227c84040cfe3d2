"""Plain values and arrays as bytes and back, without pickle: JSON for the shape, npz for the arrays."""

import io
import json
import struct
import zipfile
import zlib

import numpy as np

from prunekit.core.errors import CorruptFile
from prunekit.core.language import _

_ARRAY = "__array__"

# What numpy, zipfile and json raise, between them, for damaged bytes (TypeError: a bare array instead of an archive).
_DAMAGE = (
    ValueError,
    KeyError,
    OSError,
    EOFError,
    TypeError,
    NotImplementedError,
    RuntimeError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


def pack(value, compress: bool = False) -> bytes:
    """Bytes of a tree of dicts (string keys), lists, plain values and numpy arrays.

    compress: smaller and slower; for what is shipped or kept, not for the way between two processes.
    """
    arrays: list[np.ndarray] = []

    def strip(node):
        if isinstance(node, np.ndarray):
            arrays.append(node)
            return {_ARRAY: len(arrays) - 1}
        if isinstance(node, np.generic):
            return node.item()
        if isinstance(node, dict):
            return {str(k): strip(v) for k, v in node.items()}
        if isinstance(node, (list, tuple)):
            return [strip(v) for v in node]
        return node

    tree = json.dumps(strip(value))
    buffer = io.BytesIO()
    save = np.savez_compressed if compress else np.savez
    named = {f"a{i}": a for i, a in enumerate(arrays)}
    save(buffer, tree=np.frombuffer(tree.encode(), dtype=np.uint8), allow_pickle=False, **named)
    return buffer.getvalue()


def unpack(data: bytes):
    """The value that `pack` was given. Raises CorruptFile for anything else."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            tree = json.loads(archive["tree"].tobytes().decode())

            def fill(node):
                if isinstance(node, dict):
                    return archive[f"a{node[_ARRAY]}"] if _ARRAY in node else {k: fill(v) for k, v in node.items()}
                return [fill(v) for v in node] if isinstance(node, list) else node

            return fill(tree)
    except _DAMAGE as error:
        raise CorruptFile(_("A stored answer cannot be read; delete the cache folder and ask again.")) from error
