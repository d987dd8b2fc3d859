"""Values of ports as bits, and back."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["Bits", "to_bits", "to_values"]

Bits = NDArray[np.uint8]


def to_bits(values: NDArray[np.integer], width: int) -> Bits:
    """Bits ``(cycles, width)`` from integers ``(cycles,)`` or little-endian bytes ``(cycles, bytes)``.

    >>> to_bits(np.array([1, -2]), 3).tolist()
    [[1, 0, 0], [0, 1, 1]]
    """
    if values.ndim == 2:
        return np.unpackbits(np.ascontiguousarray(values, np.uint8), axis=1, count=width, bitorder="little")
    if width > 64:
        raise ValueError(f"values of a port of {width} bits must come as bytes, uint8 (cycles, bytes)")
    words = values.astype(np.uint64 if values.dtype.kind == "u" else np.int64).view(np.uint64)
    return (words[:, None] >> np.arange(width, dtype=np.uint64) & np.uint64(1)).astype(np.uint8)


def to_values(bits: Bits) -> NDArray[np.unsignedinteger]:
    """What :func:`to_bits` takes apart: uint64 ``(cycles,)``, or uint8 ``(cycles, bytes)`` above 64 bits."""
    packed = np.packbits(bits, axis=1, bitorder="little")
    if bits.shape[1] > 64:
        return packed
    return np.pad(packed, ((0, 0), (0, 8 - packed.shape[1]))).view("<u8")[:, 0].astype(np.uint64)
