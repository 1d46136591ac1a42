"""Writes and reads GGUF version 3: metadata, then tensor descriptions, then aligned tensor data (numpy)."""

import struct
from pathlib import Path

import numpy as np

UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
F32, F16, Q8_0 = 0, 1, 8
ALIGNMENT = 32
Q8_BLOCK = np.dtype([("scale", "<f2"), ("values", "i1", 32)])

_FORMATS = {UINT32: "<I", INT32: "<i", FLOAT32: "<f", BOOL: "<?"}


def _string(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack("<Q", len(encoded)) + encoded


def _value(kind: int, value) -> bytes:
    return _string(value) if kind == STRING else struct.pack(_FORMATS[kind], value)


def to_q8_0(x: np.ndarray) -> bytes:
    """Blocks of 32: one f16 scale, the values as whole numbers of -127 to 127."""
    blocks = x.reshape(-1, 32).astype(np.float32)
    scale = np.abs(blocks).max(1) / 127
    inverse = np.where(scale > 0, 1 / np.where(scale > 0, scale, 1), 0)
    out = np.zeros(len(blocks), Q8_BLOCK)
    out["scale"] = scale
    out["values"] = np.round(blocks * inverse[:, None]).astype(np.int8)
    return out.tobytes()


def from_q8_0(data: bytes) -> np.ndarray:
    blocks = np.frombuffer(data, Q8_BLOCK)
    return blocks["scale"].astype(np.float32)[:, None] * blocks["values"].astype(np.float32)


class GgufWriter:
    """Collects metadata and tensors in order; `write` puts them into a file."""

    def __init__(self, file_type: int):
        self._file_type = file_type  # how matrices are stored; vectors stay f32
        self._metadata: list[bytes] = []
        self._tensors: list[tuple[str, np.ndarray]] = []

    def add(self, key: str, kind: int, value) -> None:
        self._metadata.append(_string(key) + struct.pack("<I", kind) + _value(kind, value))

    def add_array(self, key: str, kind: int, values: list) -> None:
        head = struct.pack("<IIQ", ARRAY, kind, len(values))
        self._metadata.append(_string(key) + head + b"".join(_value(kind, value) for value in values))

    def add_tensor(self, name: str, values: np.ndarray) -> None:
        self._tensors.append((name, values))

    def write(self, file: Path) -> int:
        """Returns the file's size in bytes."""
        infos, parts, offset = b"", [], 0
        for name, x in self._tensors:
            kind, data = self._encode(x)
            dimensions = b"".join(struct.pack("<Q", n) for n in reversed(x.shape))  # fastest-changing first
            infos += _string(name) + struct.pack("<I", x.ndim) + dimensions + struct.pack("<IQ", kind, offset)
            parts.append(data + b"\0" * (-len(data) % ALIGNMENT))
            offset += len(parts[-1])
        counts = struct.pack("<IQQ", 3, len(self._tensors), len(self._metadata))
        head = b"GGUF" + counts + b"".join(self._metadata) + infos
        head += b"\0" * (-len(head) % ALIGNMENT)
        return file.write_bytes(head + b"".join(parts))

    def _encode(self, x: np.ndarray) -> tuple[int, bytes]:
        if x.ndim == 1 or self._file_type == F32:
            return F32, x.astype("<f4").tobytes()
        if self._file_type == F16:
            return F16, x.astype("<f2").tobytes()
        return Q8_0, to_q8_0(x)


def read_gguf(file: Path) -> tuple[dict, dict[str, np.ndarray]]:
    """Metadata and tensors (as f32) of a file like the ones above; other types of tensors are refused."""
    data = file.read_bytes()
    position = 4

    def take(format: str):
        nonlocal position
        (value,) = struct.unpack_from(format, data, position)
        position += struct.calcsize(format)
        return value

    def take_string() -> str:
        nonlocal position
        length = take("<Q")
        position += length
        return data[position - length : position].decode()

    def take_value(kind: int):
        if kind == STRING:
            return take_string()
        if kind == ARRAY:
            element, count = take("<I"), take("<Q")
            return [take_value(element) for _ in range(count)]
        return take(_FORMATS[kind])

    if data[:4] != b"GGUF" or take("<I") != 3:
        raise ValueError(f"Cannot read {file}: it isn't GGUF version 3")
    n_tensors, n_keys = take("<Q"), take("<Q")
    metadata = {}
    for _ in range(n_keys):
        key = take_string()
        metadata[key] = take_value(take("<I"))
    infos = []
    for _ in range(n_tensors):
        name = take_string()
        shape = [take("<Q") for _ in range(take("<I"))][::-1]
        infos.append((name, shape, take("<I"), take("<Q")))
    start = position + -position % ALIGNMENT
    tensors = {}
    for name, shape, kind, offset in infos:
        n, at = int(np.prod(shape)), start + offset
        if kind == Q8_0:
            values = from_q8_0(data[at : at + n // 32 * Q8_BLOCK.itemsize])
        elif kind in (F32, F16):
            values = np.frombuffer(data, "<f4" if kind == F32 else "<f2", n, at).astype(np.float32)
        else:
            raise ValueError(f"Cannot read {name} in {file}: its type is {kind}; expected f32, f16 or q8_0")
        tensors[name] = values.reshape(shape)
    return metadata, tensors
