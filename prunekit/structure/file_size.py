"""How large a network's safetensors file is, to the byte, without writing it."""

import json

import torch
from torch import nn

# The names of element types in a safetensors file, in the order in which it lays tensors out.
FILE_ORDER = {
    torch.uint64: "U64",
    torch.int64: "I64",
    torch.float64: "F64",
    torch.complex64: "C64",
    torch.float32: "F32",
    torch.uint32: "U32",
    torch.int32: "I32",
    torch.bfloat16: "BF16",
    torch.float16: "F16",
    torch.uint16: "U16",
    torch.int16: "I16",
    torch.float8_e4m3fn: "F8_E4M3",
    torch.float8_e5m2: "F8_E5M2",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
RANKS = {dtype: rank for rank, dtype in enumerate(FILE_ORDER)}


def file_bytes(model: nn.Module) -> int:
    """The exact size in bytes of the safetensors file of the model's state dict, without metadata.

    A tensor that layers share is stored once under each of its names, as `prunekit.save` does.
    """
    tensors = model.state_dict()
    return header_bytes(tensors) + sum(tensor.nbytes for tensor in tensors.values())


def header_bytes(tensors: dict[str, torch.Tensor]) -> int:
    """The size of what a safetensors file holds before the data: 8 bytes for a length, then JSON padded to 8 bytes.

    Worked out from the format rather than by serialising, which would copy every weight of a large network.
    """
    entries, offset = {}, 0
    for name in sorted(tensors, key=lambda name: (RANKS.get(tensors[name].dtype, len(RANKS)), name)):
        tensor = tensors[name]
        end = offset + tensor.nbytes
        dtype = FILE_ORDER.get(tensor.dtype, str(tensor.dtype))
        entries[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [offset, end]}
        offset = end
    length = len(json.dumps(entries, separators=(",", ":"), ensure_ascii=False).encode())
    return 8 + -(-length // 8) * 8
