"""Weights of few bits from real ones: steps, zero points and signs by least squares, ternary ones by a threshold."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["affine", "ternary", "uniform"]

Real = NDArray[np.float64]
CLIPS = np.linspace(0.3, 1.0, 36)  # of a column's largest weight, tried as the largest level


def _least_squares(weight: Real, levels: Real) -> Real:
    """The step of each column that makes ``step * levels`` nearest to ``weight``."""
    energy = (levels * levels).sum(axis=0)
    return np.where(energy > 0, (weight * levels).sum(axis=0) / np.maximum(energy, 1e-300), 0.0)


def uniform(weight: Real, bits: int) -> tuple[NDArray[np.int8], Real]:
    """Levels ``-2^(bits-1)..2^(bits-1)-1`` and the step of each column of ``(reduction, columns)`` weights.

    The step is the one of least squared error among clips of the largest weight. One bit: levels are -1 and 1.
    """
    if bits == 1:
        signs = np.where(weight < 0, -1, 1).astype(np.int8)
        return signs, np.abs(weight).mean(axis=0)
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1
    largest = np.abs(weight).max(axis=0)
    best, step = np.full(weight.shape[1], np.inf), np.ones(weight.shape[1])
    for clip in CLIPS:
        tried = np.maximum(largest * clip / (high + 0.5), 1e-30)
        error = ((np.clip(np.rint(weight / tried), low, high) * tried - weight) ** 2).sum(axis=0)
        better = error < best
        best[better], step[better] = error[better], tried[better]
    return np.clip(np.rint(weight / step), low, high).astype(np.int8), step


def ternary(weight: Real) -> tuple[NDArray[np.int8], Real]:
    """-1, 0 and 1 and the step of each column: the threshold of least squared error.

    With the largest ``k`` magnitudes kept, the best step is their mean and the error falls by ``(sum)^2 / k``.
    """
    order = np.argsort(-np.abs(weight), axis=0, kind="stable")
    sums = np.cumsum(np.take_along_axis(np.abs(weight), order, axis=0), axis=0)
    counts = np.arange(1, len(weight) + 1)[:, None]
    kept = (sums * sums / counts).argmax(axis=0) + 1
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.broadcast_to(np.arange(len(weight))[:, None], order.shape), axis=0)
    trits = np.where(rank < kept, np.sign(weight), 0).astype(np.int8)
    return trits, _least_squares(weight, trits.astype(np.float64))


def _between(weight: Real, low: Real, high: Real, bits: int) -> tuple[NDArray[np.int64], NDArray[np.int64], Real]:
    """Weights of each column as ``s (q - z)`` that reach from ``low`` to ``high``."""
    most = (1 << bits) - 1
    step = np.maximum((high - low) / most, 1e-30)
    z = np.clip(np.rint(-low / step), max(0, (most - 127) // 2), min(most, (most + 127) // 2))  # z' has 8 bits
    return np.clip(np.rint(weight / step + z), 0, most).astype(np.int64), (2 * z - most).astype(np.int64), step


def affine(weight: Real, bits: int) -> tuple[NDArray[np.int64], NDArray[np.int8], Real]:
    """``(q, z', step)`` of ``(reduction, columns)`` weights ``step (q' - z')`` with ``q' = 2q - (2^bits - 1)``.

    Of each column the clip of its range of least squared error, among zero points on a level and half-way between two
    (``z' = 0``); of two bits, three levels (-1, 0 and 1), too. One bit: the sign, and the mean magnitude.
    """
    half, most = 1 << bits - 1, (1 << bits) - 1
    if bits == 1:
        return (weight >= 0).astype(np.int64), np.zeros(weight.shape[1], np.int8), np.abs(weight).mean(axis=0)
    low, high = np.minimum(weight.min(axis=0), 0), np.maximum(weight.max(axis=0), 0)
    q, zero = np.zeros(weight.shape, np.int64), np.zeros(weight.shape[1], np.int64)
    step, best = np.zeros(weight.shape[1]), np.full(weight.shape[1], np.inf)

    def consider(tried: NDArray[np.int64], point: NDArray[np.int64]) -> None:
        levels = (2 * tried - most - point).astype(np.float64)
        fitted = _least_squares(weight, levels)
        error = ((levels * fitted - weight) ** 2).sum(axis=0)
        better = error < best
        best[better], step[better], zero[better] = error[better], fitted[better], point[better]
        q[:, better] = tried[:, better]

    for clip in CLIPS:
        size = np.maximum(np.abs(weight).max(axis=0) * clip / half, 1e-30)
        consider(*_between(weight, low * clip, high * clip, bits)[:2])
        consider(np.clip(np.floor(weight / size) + half, 0, most).astype(np.int64), np.zeros_like(zero))
    if bits == 2:  # three of the four levels: ternary weights are held as they are
        consider(ternary(weight)[0].astype(np.int64) + 1, np.full_like(zero, -1))
    return q, zero.astype(np.int8), np.maximum(step, 1e-30)
