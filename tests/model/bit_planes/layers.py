"""Random layers of bit planes, and their sums by naive loops."""

from itertools import product as cartesian

import numpy as np
from numpy.typing import NDArray

from lutra_model.codings import BitPlanes
from lutra_model.codings.bit_planes import folded
from lutra_model.network import Product, Window

__all__ = ["layer", "naive", "zero_of"]

Ints = NDArray[np.integer]


def zero_of(z: Ints, bits: int) -> NDArray[np.int8]:
    return (2 * z + 1 - 2**bits).astype(np.int8)


def layer(seed: int, bits: int, *, group: int = 4, channels: int = 6, columns: int = 5, groups: int = 1,
          window: Window | None = None, quantised: bool = False) -> tuple[Product, Ints, Ints]:
    """A layer, its weights ``(taps, channels, groups * columns)`` of so many bits, and its zero points."""
    rng, taps = np.random.default_rng(seed), window.kernel[0] * window.kernel[1] if window else 1
    q = rng.integers(0, 2**bits, (taps, channels, groups * columns))
    low, high = (0, 2**bits) if bits < 8 else (64, 192)
    z = rng.integers(low, high, groups * columns)
    outputs, parts = groups * columns, []
    for g in range(groups):
        padded = np.zeros((taps, -(-channels // group) * group, columns), int)
        padded[:, channels:] = rng.integers(0, 2**bits)  # whatever stands beside the channels
        padded[:, :channels] = q[:, :, g * columns:(g + 1) * columns]
        parts.append(folded(padded.reshape(-1, group, columns), bits))
    node = Product(name="p", inputs=("input",), scale=0.5, low=-100, high=90, table=np.concatenate(parts),
                   coding=BitPlanes(zero_of(z, bits), bits, group, quantised), reduction=channels * taps,
                   bias=rng.integers(-9999, 9999, outputs), multiplier=rng.integers(2**15, 2**16, outputs),
                   shift=np.full(outputs, 20 + bits), table_scale=rng.uniform(0.1, 1, outputs), window=window,
                   groups=groups)
    return node, q, z


def naive(x: NDArray[np.int8], q: Ints, z: Ints, groups: int, window: Window | None) -> list[int]:
    """``2 sum a (q - z)`` of every output pixel and column, one multiplication at a time."""
    window = window or Window(kernel=(1, 1))
    image = x if x.ndim == 4 else x[:, None, None]
    (batch, height, width, channels), (top, left, *_) = image.shape, window.padding
    each, columns, found = channels // groups, q.shape[2] // groups, []
    rows, wide = window.output(height, width)
    for b, oy, ox, n in cartesian(range(batch), range(rows), range(wide), range(q.shape[2])):
        total = 0
        for i, j, c in cartesian(range(window.kernel[0]), range(window.kernel[1]), range(each)):
            y, at = oy * window.stride[0] + i - top, ox * window.stride[1] + j - left
            if 0 <= y < height and 0 <= at < width:
                weight = int(q[i * window.kernel[1] + j, c, n]) - int(z[n])
                total += 2 * int(image[b, y, at, n // columns * each + c]) * weight
        found.append(total)
    return found
