"""Row softmax and layer norm, one number at a time, and rows to try them on."""

import numpy as np

from lutra_model.network import LayerNorm, Node, RowSoftmax

__all__ = ["clamp", "naive_norm", "naive_softmax", "rows"]


def rows(seed: int, channels: int, count: int = 40) -> np.ndarray:
    """Random rows of several spreads, and adversarial ones: constant, one large, two levels, all values, extremes."""
    rng = np.random.default_rng(seed)
    spread = rng.choice([0, 1, 3, 20, 60, 300], (count, 1))
    found = np.clip(np.rint(rng.normal(rng.normal(0, 20, (count, 1)), spread, (count, channels))), -128, 127)
    found[0], found[1], found[2], found[3] = -128, 127, 0, np.arange(channels) % 256 - 128
    found[4], found[5] = -128, np.where(np.arange(channels) % 2, -128, 127)
    found[4, rng.integers(channels)] = 127
    found[6] = 5
    found[6, 0] = 6
    return found.astype(np.int8)


def clamp(value: int, low: int, high: int) -> int:
    return min(max(value, low), high)


def finished(value: int, multiplier: int, shift: int, node: Node) -> int:
    return clamp((value * multiplier + 2 ** (shift - 1)) // 2**shift, node.low, node.high)


def naive_softmax(node: RowSoftmax, row: list[int]) -> list[int]:
    parts = [clamp(int(node.exponential.evaluate(x - max(row))), 0, 32767) for x in row]
    total = max(sum(parts), 1)
    place = len(f"{total:b}") - 1
    mantissa = total * 2**14 // 2**place
    inverse = clamp(int(node.reciprocal.evaluate(mantissa)), 0, 32767)
    return [finished(part * inverse // 2**place, node.multiplier, node.shift, node) for part in parts]


def naive_norm(node: LayerNorm, row: list[int]) -> list[int]:
    count, total = len(row), sum(row)
    spread = count * sum(x * x for x in row) - total * total + node.epsilon
    place = len(f"{spread:b}") - 1
    even = place - place % 2
    inverse = clamp(int(node.root.evaluate(spread * 2**12 // 2**even)), 0, 32767)
    values = [(count * x - total) * inverse // 2 ** (even // 2 + 3) for x in row]
    return [finished(value + int(bias), int(multiplier), int(shift), node) for value, bias, multiplier, shift
            in zip(values, node.bias, node.multiplier, node.shift, strict=True)]
