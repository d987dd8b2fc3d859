"""Ternary weights as packed codes, and the order in which half a table of them is built by single additions.

A code is a number in base 3 with one digit for each weight of a group, least significant first, ``digit = weight + 1``
(vlut.cpp, ``ggml-quants-vlut.c``). The zero vector is code ``(3^g - 1) / 2``, the negative of code ``c`` is
``3^g - 1 - c``.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["GROUPS", "SIGN", "additions", "pack", "pack_layer", "sign_ranks", "unpack", "vectors", "zero_code"]

GROUPS = (3, 4, 5)  # weights of a code that fits a byte
SIGN = 0x80         # of a code word in table memory; the other bits are its rank

Trits = NDArray[np.int8]


def zero_code(group: int) -> int:
    """Code of ``group`` zeros, and the number of codes (or entries) on either side of it.

    >>> [zero_code(group) for group in GROUPS]
    [13, 40, 121]
    """
    return (3**group - 1) // 2


def pack(weights: Trits) -> NDArray[np.uint8]:
    """Codes of groups of weights -1, 0, 1, which lie along the last axis.

    >>> int(pack(np.array([1, -1, 0, 1], np.int8)))
    65
    """
    weights = np.asarray(weights, np.int8)
    if weights.shape[-1] not in GROUPS or np.abs(weights).max(initial=0) > 1:
        raise ValueError(f"weights must be groups of 3, 4 or 5 of -1, 0 or 1, not {weights.shape[-1]} of "
                         f"{weights.min()} to {weights.max()}")
    places = 3 ** np.arange(weights.shape[-1])
    return ((weights.astype(np.int64) + 1) @ places).astype(np.uint8)


def unpack(codes: NDArray[np.uint8], group: int) -> Trits:
    """Weights ``(..., group)`` of codes ``(...)``; the inverse of :func:`pack`."""
    return ((codes[..., None].astype(np.int64) // 3 ** np.arange(group)) % 3 - 1).astype(np.int8)


def pack_layer(weights: Trits, group: int, taps: int = 1) -> Trits:
    """Codes ``(codebooks, 1, columns)`` of a layer's weights ``(channels * taps, columns)``, as an int8 view.

    Weights come in the order channel, tap; codebooks are runs of ``group`` channels, tap after tap, each tap padded
    with zeros to whole groups.
    """
    by_tap = weights.reshape(-1, taps, weights.shape[1]).swapaxes(0, 1)
    padded = np.pad(by_tap, ((0, 0), (0, -by_tap.shape[1] % group), (0, 0)))
    groups = padded.reshape(-1, group, weights.shape[1]).swapaxes(1, 2)
    return pack(groups)[:, None].view(np.int8)


@lru_cache
def vectors(group: int) -> Trits:
    """All ``(3^group, group)`` weights in the order of the reflected ternary Gray code.

    Each differs from the one before in one digit, by one. The middle one is zero, and as many places before it as
    after it lie a vector and its negative: so the half from the middle on holds one of each such pair.
    """
    found = np.zeros((1, 0), np.int8)
    for _ in range(group):
        found = np.concatenate([np.pad(part, ((0, 0), (0, 1)), constant_values=digit) for digit, part
                                in [(-1, found), (0, found[::-1]), (1, found)]])
    return found


def additions(group: int) -> list[tuple[int, int]]:
    """What makes each entry of half a table from the one before, zero first: a place in the group, and +1 or -1.

    >>> [len(additions(group)) for group in GROUPS]
    [13, 40, 121]
    """
    half = vectors(group)[zero_code(group):].astype(int)
    return [(int(np.flatnonzero(step)[0]), int(step.sum())) for step in np.diff(half, axis=0)]


@lru_cache
def sign_ranks(group: int) -> NDArray[np.uint8]:
    """The code word in table memory of each code: place in the half table, and ``SIGN`` for the negative of that.

    >>> [int(sign_ranks(4)[code]) for code in (40, 41, 39)]
    [0, 129, 1]
    """
    places = np.arange(3**group) - zero_code(group)
    found = np.empty(3**group, np.uint8)
    found[pack(vectors(group))] = np.abs(places) + SIGN * (places < 0)
    return found
