"""What docs/arithmetic.md says of piecewise functions, softmax and norm, one number at a time."""

import random
from dataclasses import dataclass
from itertools import pairwise
from math import exp, sqrt
from typing import Any

from lutra_model.layout import Layout
from lutra_model.operation import Kind, Lane
from lutra_model.params import Array

__all__ = ["CONSTANT", "Function", "exponential", "gentle", "norm", "random_function", "reciprocal", "root",
           "row_fields", "softmax"]


@dataclass(frozen=True)
class Function:
    """Segments ``(start, slope, intercept)``, of which the first starts nowhere, and the shift."""

    segments: list[tuple[int, int, int]]
    shift: int

    def __call__(self, x: int) -> int:
        """Floored, not clamped."""
        slope, intercept = self.segments[0][1:]
        for start, *line in self.segments[1:]:
            if start <= x:
                slope, intercept = line
        return (slope * x + intercept) // 2**self.shift

    @property
    def words(self) -> list[int]:
        """The 33 words of a slot."""
        unused = [(32767, *self.segments[-1][1:])] * (16 - len(self.segments))
        words = []
        for number, (start, slope, intercept) in enumerate(self.segments + unused):
            words += [(slope & 0xFFFF) | ((start if number else 0) & 0xFFFF) << 16, intercept & 0xFFFFFFFF]
        return [*words, self.shift]


def random_function(rng: random.Random, spread: int = 2**15) -> Function:
    """Up to 16 segments between ``-spread`` and ``spread - 1``; some begin at one place."""
    some = [rng.randrange(-spread, spread) for _ in range(8)]
    starts = [rng.choice([*some, rng.randrange(-spread, spread)]) for _ in range(rng.randint(0, 15))]
    low, high = rng.choice([(-2**15, 2**15), (-100, 100), (2**15 - 2, 2**15), (-2**15, -2**15 + 2)])
    base = rng.choice([2**31, 2**24, 2**16])
    return Function([(start, rng.randrange(low, high), rng.randrange(-base, base)) for start in [0, *sorted(starts)]],
                    rng.choice([0, rng.randint(1, 30), 31]))


def gentle(rng: random.Random) -> Function:
    """Lines through random outputs of int8, for x from ``-2^13`` to ``2^13``."""
    return _through([(x, float(rng.randrange(-128, 128))) for x in range(-2**13, 2**13 + 1, 2**10)])


def _through(points: list[tuple[int, float]]) -> Function:
    """Straight lines through points, as finely as slopes and intercepts can be held."""
    for shift in reversed(range(32)):
        lines = []
        for (x, y), (next_x, next_y) in pairwise(points):
            slope = round((next_y - y) / (next_x - x) * 2**shift)
            lines.append((x, slope, round(y * 2**shift) - slope * x))
        if all(abs(slope) < 2**15 and abs(intercept) < 2**31 for _, slope, intercept in lines):
            return Function(lines, shift)
    raise ValueError("lines must not be so steep")


def exponential(scale: float) -> Function:
    """About ``2^15 * exp(x * scale)``, for x from -255 to 0."""
    places = [-256, -128, -96, -64, -48, -32, -24, -16, -12, -8, -6, -4, -3, -2, -1, 0]
    return _through([(x, 2**15 * exp(x * scale)) for x in places])


def reciprocal() -> Function:
    """About ``2^29 / x``, for x from ``2^14`` to ``2^15``."""
    return _through([(x, 2**29 / x) for x in range(2**14, 2**15 + 1, 2**10)])


def root() -> Function:
    """About ``2^21 / sqrt(x)``, for x from ``2^12`` to ``2^14``."""
    return _through([(x, 2**21 / sqrt(x)) for x in range(2**12, 2**14 + 1, 768)])


CONSTANT = Function([(0, 0, 12345)], 0)


def _below(value: int) -> int:
    return min(max(value, 0), 2**15 - 1)


def softmax(x: list[int], power: Function, inverse: Function) -> list[int]:
    """What goes to the finisher for a row."""
    largest = max(x)
    powers = [_below(power(value - largest)) for value in x]
    total = sum(powers) or 1
    place = 0
    while total >> place > 1:
        place += 1
    u = total * 2**14 // 2**place
    factor = _below(inverse(u))
    return [value * factor // 2**place for value in powers]


def norm(x: list[int], epsilon: int, inverse_root: Function) -> list[int]:
    """What goes to the finisher for a row."""
    count, total = len(x), sum(x)
    spread = count * sum(value * value for value in x) - total * total + epsilon or 1
    even = 0
    while spread >> even + 2:
        even += 2
    u = spread * 2**12 // 2**even
    factor = _below(inverse_root(u))
    return [(count * value - total) * factor // 2**(even // 2 + 3) for value in x]


def row_fields(array: Array, source: Layout, softmax: bool) -> dict[str, Any]:
    """Fields of an operation that make it a ROW of all pixels of an image."""
    words, rows = -(-source.channels // array.word), source.height * source.width
    block = min(rows, array.block_rows)
    blocks = -(-rows // block)
    return {"kind": Kind.ROW, "maximum": softmax, "source_side": source.side, "source": source.base,
            "step_x": source.pitch_x, "step_y": source.jump, "height": source.height, "width": source.width,
            "out_width": source.width, "blocks": blocks, "block": block, "last_block": rows - (blocks - 1) * block,
            "parts_x": words, "parts_y": 3 if softmax else 2, "part_x_step": 1, "column_tiles": words,
            "last_columns": source.channels - (words - 1) * array.word, "tile_step": 1,
            "lanes": (Lane(enabled=True, enabled_last=True),)}
