"""Entries of a technology: what one event costs, with source, status and uncertainty."""

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .components import OWN_AREAS, OWN_ENERGIES

__all__ = ["MACROS", "OPTIONAL", "REQUIRED", "UNITS", "Activity", "Entry"]

REQUIRED = {
    "clock_period": "ns",
    "add": "pJ/bit", "compare": "pJ/bit", "multiply": "pJ/8x8bit", "mux": "pJ/bit", "register": "pJ/bit",
    "fp16_multiply": "pJ", "fp16_add": "pJ", "fp32_multiply": "pJ", "fp32_add": "pJ",
    "sram_read": "pJ/64bit", "sram_write": "pJ/64bit", "dram": "pJ/bit",
    "logic_leakage": "pJ/ns/um2", "sram_leakage": "pJ/ns/bit",
    "add_area": "um2/bit", "compare_area": "um2/bit", "multiply_area": "um2/8x8bit", "mux_area": "um2/bit",
    "register_area": "um2/bit", "sram_area": "um2/64bit",
    "fp16_multiply_area": "um2", "fp16_add_area": "um2", "fp32_multiply_area": "um2", "fp32_add_area": "um2",
}
FINE = {  # what published constants leave out, and cost nothing where a technology does not price it
    "clock": "pJ", "clock_area": "um2",        # a clock gate (in a cycle), or a bit that is clocked always
    "wire": "pJ/bit",                          # a bit at a register that need not take it, or that only passes
    "deep": "pJ/bit",                          # adders behind others in one cycle: glitches, carries that look ahead
}
OPTIONAL = FINE | {
    f"{component}.{entry}": (REQUIRED | FINE)[entry] for component, own in OWN_ENERGIES.items() for entry in own
} | {f"{component}.{entry}_area": (REQUIRED | FINE)[f"{entry}_area"]
     for component, own in OWN_AREAS.items() for entry in own}
UNITS = REQUIRED | OPTIONAL
MACROS = ("sram_read", "sram_write", "sram_area")


@dataclass(frozen=True)
class Activity:
    """How a price follows the data: it falls to ``idle`` as changes of a bit at an event fall from ``rate`` to 0."""

    idle: float
    rate: float


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One price.

    Parameters
    ----------
    value : the price, or for SRAM ``(bytes of a macro, price)`` points in growing order.
    uncertainty : relative; 0.3 means between 0.7 and 1.3 of the value.
    activity : how the price follows the data; None: it does not.
    """

    value: float | tuple[tuple[float, float], ...]
    unit: str
    source: str
    status: str
    uncertainty: float
    activity: Activity | None = None

    def at(self, size: Any) -> Any:
        """Price of a macro of so many bytes (or an array of them): straight lines between points on logarithmic axes.

        Below the first point the price falls with the square root of the size (word and bit lines both
        shorten), above the last one the last line goes on.
        """
        assert isinstance(self.value, tuple)
        if isinstance(size, np.ndarray):
            sizes, places = np.unique(size, return_inverse=True)
            return np.array([self.at(float(each)) for each in sizes])[places]
        points = self.value
        if size <= points[0][0] or len(points) == 1:
            return points[0][1] * math.sqrt(size / points[0][0])
        pairs = list(itertools.pairwise(points))
        (x0, y0), (x1, y1) = next((pair for pair in pairs if size <= pair[1][0]), pairs[-1])
        return y0 * (size / x0) ** (math.log(y1 / y0) / math.log(x1 / x0))

    def toggling(self, rate: float) -> float:
        """Price where a bit of the data changes ``rate`` times at an event.

        >>> Entry(value=3.0, unit="", source="", status="", uncertainty=0, activity=Activity(1.0, 0.5)).toggling(0.25)
        2.0
        """
        assert isinstance(self.value, float)
        if self.activity is None:
            return self.value
        return self.activity.idle + (self.value - self.activity.idle) * rate / self.activity.rate
