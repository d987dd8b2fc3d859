"""Random numbers of networks: activations, tables and parameters, of ordinary data and of the ends of their ranges."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lutra_model.params import Array

__all__ = ["MULTIPLIER", "Numbers"]

BIAS = (-(2**31), 2**31 - 1)
MULTIPLIER = 2**16 - 1


class Numbers:
    """Arrays of one kind of data.

    ``random`` spreads the outputs over int8, ``ties`` makes many centroids equally near, ``edges`` takes every number
    from the ends of its range, ``low`` and ``high`` take one end for all of them.
    """

    def __init__(self, data: str, seed: int) -> None:
        self.data, self.rng = data, np.random.default_rng(seed)

    def int8(self, *shape: int, ties: bool = True) -> NDArray[np.int8]:
        """Activations, centroids or (without ``ties``) table entries."""
        choices = {"ties": (-1, 0, 1), "edges": (-128, 127), "low": (-128,), "high": (127,)}
        if self.data == "random" or (self.data == "ties" and not ties):
            return self.rng.integers(-128, 128, shape, np.int8)
        return self.rng.choice(np.array(choices[self.data], np.int8), shape)

    def finisher(self, count: int, summed: int, array: Array | None) -> dict[str, Any]:
        """Parameters for ``count`` columns that each sum so many of the array's terms."""
        choose = self.rng.choice
        match self.data:
            case "edges":
                return {"bias": choose(np.array([*BIAS, 0, -1]), count),
                        "multiplier": choose(np.array([0, 1, MULTIPLIER]), count),
                        "shift": choose(np.array([1, 2, 31, 32, 48, 63]), count)}
            case "low" | "high":
                low = self.data == "low"
                return {"bias": np.full(count, BIAS[not low]), "multiplier": np.full(count, MULTIPLIER),
                        "shift": np.where(np.arange(count) % 2, 63 if low else 41, 1)}
        assert array is not None
        spread = int(74 * summed**0.5) * array.cell.spread(array)
        return {"bias": self.rng.integers(-spread, spread + 1, count),
                "multiplier": self.rng.integers(2**15, 2**16, count),
                "shift": spread.bit_length() + 10 + self.rng.integers(-1, 3, count)}

    def norm(self, count: int) -> dict[str, Any]:
        """Parameters of a norm of ``count`` channels, with multipliers of both signs."""
        found = self.finisher(count, 1, None) if self.data in ("edges", "low", "high") else {
            "bias": self.rng.integers(-(2**13), 2**13, count), "multiplier": self.rng.integers(0, 2**16, count),
            "shift": self.rng.integers(19, 23, count)}
        sign = self.rng.choice(np.array([-1, 1]), count)
        return found | {"multiplier": sign * found["multiplier"],
                        "epsilon": int(self.rng.choice(np.array([1, 1, 1000, 10**6, 2**32 - 1])))}

    def clamp(self) -> dict[str, int]:
        """A third of the nodes clamp to less than int8, some of those to a few values around any."""
        match self.rng.integers(8):
            case 0:
                low, high = sorted(self.rng.integers(-128, 128, 2).tolist())
            case 1 | 2:
                low, high = self.rng.integers(-128, 1), self.rng.integers(20, 128)
            case _:
                low, high = -128, 127
        return {"low": int(low), "high": int(high)}
