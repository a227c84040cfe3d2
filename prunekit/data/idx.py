"""Read and write idx files, plain or gzipped: the format of the MNIST family (LeCun et al., 1998)."""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from prunekit.core.errors import CorruptFile
from prunekit.core.language import _

UINT8 = 0x08


def read_idx(path: Path) -> np.ndarray:
    """The uint8 array in an idx file; a name that ends in .gz is unpacked. Raises CorruptFile."""
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as file:
            zeros, kind, dimensions = struct.unpack(">HBB", file.read(4))
            if zeros != 0 or kind != UINT8 or not 1 <= dimensions <= 4:
                raise ValueError("not an idx file of bytes")
            shape = struct.unpack(f">{dimensions}I", file.read(4 * dimensions))
            size = math.prod(shape)
            # One byte more than announced tells a file that is too long, without unpacking all of it.
            data = file.read(size + 1)
            if len(data) != size:
                raise ValueError("not as long as its header says")
    except (ValueError, struct.error, EOFError, OSError, zlib.error) as error:
        sentence = _("The data file {path} is damaged or cut short; download it again or restore it.")
        raise CorruptFile(sentence.format(path=path)) from error
    return np.frombuffer(data, dtype=np.uint8).reshape(shape).copy()


def write_idx(path: Path, array: np.ndarray) -> None:
    """Write a uint8 array as an idx file, gzipped when the name ends in .gz; equal arrays give equal bytes."""
    header = struct.pack(f">HBB{array.ndim}I", 0, UINT8, array.ndim, *array.shape)
    data = header + np.ascontiguousarray(array, dtype=np.uint8).tobytes()
    path.write_bytes(gzip.compress(data, 9, mtime=0) if path.suffix == ".gz" else data)
