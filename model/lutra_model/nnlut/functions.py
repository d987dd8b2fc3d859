"""The functions that tables stand for, over the paper's ranges, and the errors of their tables at every input."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import erf
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..piecewise import INPUT, Piecewise
from . import integers
from .net import ReluNet, lines
from .train import STEPS, Start, train

__all__ = ["FUNCTIONS", "Errors", "Target", "gelu", "relative_errors", "study"]

Real = NDArray[Any]
FULL = 2**15 - 1  # output steps of the largest value
SCALING = 1 << 10  # of inputs below 1 of 1/sqrt, as the paper has it


def gelu(x: Real) -> Real:
    """``x * Phi(x)``, by the error function."""
    return x / 2 * (1 + np.vectorize(erf, otypes=[float])(x / np.sqrt(2)))


@dataclass(frozen=True, kw_only=True)
class Target:
    """A real function on a range. ``rising``: it only rises (True), only falls (False), or neither (None)."""

    name: str
    real: Callable[[Any], Any]
    low: float
    high: float
    rising: bool | None = None
    start: Start = "normal"

    def step(self, bits: int) -> float:
        """Real value of an input step: signed numbers of so many bits hold the range."""
        return max(-self.low, self.high) / 2 ** (bits - 1)

    def codes(self, bits: int) -> tuple[int, int]:
        """The first and the last input in the range."""
        step = self.step(bits)
        return int(np.ceil(self.low / step)), min(int(np.floor(self.high / step)), 2 ** (bits - 1) - 1)

    def scale(self, bits: int) -> float:
        """Real value of an output step: 16 bits hold the largest output."""
        return float(np.abs(self.real(np.array(self.codes(bits)) * self.step(bits))).max()) / FULL

    def table(self, bits: int) -> Piecewise:
        """The best lines found."""
        step, scale = self.step(bits), self.scale(bits)
        return integers.fitted(lambda x: self.real(x * step) / scale, *self.codes(bits), rising=self.rising)

    def trained(self, bits: int, *, seed: int = 0, steps: int = STEPS) -> Piecewise:
        """The lines of a trained network, as they are; for ``integers.problems`` to look at."""
        return self.of_net(train(self.real, self.low, self.high, start=self.start, seed=seed, steps=steps), bits)

    def of_net(self, net: ReluNet, bits: int) -> Piecewise:
        """The lines of a network of this function's real numbers on the scales of its inputs and outputs."""
        return integers.of_lines(lines(net), self.step(bits), self.scale(bits), *self.codes(bits))

    def refitted(self, net: ReluNet, bits: int) -> Piecewise:
        """The network's breakpoints on the grid of inputs, slopes and intercepts fitted anew to the function there."""
        step, scale = self.step(bits), self.scale(bits)
        at = integers.rounded(lines(net), step, *self.codes(bits))
        return integers.placed(lambda x: self.real(x * step) / scale, at, power=2, rising=self.rising)

    def errors(self, table: Piecewise, bits: int) -> Real:
        """Real error of the table at every input, its outputs clamped to 16 bits."""
        low, high = self.codes(bits)
        x = np.arange(low, high + 1)
        return np.clip(table.evaluate(x), *INPUT) * self.scale(bits) - self.real(x * self.step(bits))


FUNCTIONS = (
    Target(name="gelu", real=gelu, low=-5.0, high=5.0),
    Target(name="exp", real=np.exp, low=-256.0, high=0.0, rising=True, start="rising"),
    Target(name="1/x", real=lambda x: 1 / x, low=1.0, high=1024.0, rising=False, start="falling"),
    Target(name="1/sqrt", real=lambda x: 1 / np.sqrt(x), low=0.1, high=1024.0, rising=False, start="falling"),
    Target(name="silu", real=lambda x: x / (1 + np.exp(-x)), low=-8.0, high=8.0),
    Target(name="sigmoid", real=lambda x: 1 / (1 + np.exp(-x)), low=-8.0, high=8.0, rising=True),
    Target(name="tanh", real=np.tanh, low=-4.0, high=4.0, rising=True))


class Errors(NamedTuple):
    """Errors of one table over all its inputs, in real numbers; ``full`` is the largest output."""

    function: str
    bits: int
    how: str
    segments: int
    largest: float
    mean: float
    full: float
    problems: tuple[str, ...]


def _errors(target: Target, bits: int, how: str, table: Piecewise) -> Errors:
    found = np.abs(target.errors(table, bits))
    return Errors(target.name, bits, how, table.segments, float(found.max()), float(found.mean()),
                  target.scale(bits) * FULL, tuple(integers.problems(table, target.rising)))


def _trained(target: Target, bits: int, net: ReluNet) -> list[Errors]:
    """A network's errors; those of its table after repair, if it needs one; and with lines fitted anew."""
    again = _errors(target, bits, "refitted", target.refitted(net, bits))
    try:
        table = target.of_net(net, bits)
    except ValueError as error:  # the network's own errors: no table holds it
        low, high = target.codes(bits)
        x = np.arange(low, high + 1) * target.step(bits)
        away = np.abs(lines(net)(x) - target.real(x))
        return [Errors(target.name, bits, "trained", len(lines(net).slopes), float(away.max()), float(away.mean()),
                       target.scale(bits) * FULL, (str(error),)), again]
    found = [_errors(target, bits, "trained", table)]
    if found[0].problems:
        better = integers.repaired(table, target.rising, *target.codes(bits))
        found.append(_errors(target, bits, "repaired", better))
    return [*found, again]


def study(targets: Iterable[Target] = FUNCTIONS, *, steps: int = 0, seed: int = 0,
          progress: Callable[[str, int, int], None] | None = None) -> list[Errors]:
    """Errors of every function's tables at every 8-bit and every 16-bit input of its range.

    With ``steps`` also those of networks trained for so many steps, as they come, repaired, and with their
    lines fitted anew between the rounded breakpoints.
    """
    targets, found = tuple(targets), list[Errors]()
    for done, target in enumerate(targets, start=1):
        nets = [train(target.real, target.low, target.high, start=target.start, seed=seed,
                      steps=steps)] if steps else []
        for bits in (8, 16):
            found.append(_errors(target, bits, "fitted", target.table(bits)))
            for net in nets:
                found += _trained(target, bits, net)
        if progress is not None:
            progress("functions", done, len(targets))
    return found


def relative_errors() -> dict[str, float]:
    """Largest relative error of 1/x and 1/sqrt(x) at every 16-bit input: direct, with scaled inputs, by leading ones.

    Scaled, as the paper has it: ``1/sqrt(x) = 2^5 * table(2^10 x)`` below 1. By leading ones: the input is shifted
    until its leading one is in one place (for the root in one of two), the result is shifted back.
    """
    from ..function_golden import normalised
    from ..function_makers import reciprocal, root

    found = {}
    for target in FUNCTIONS[2:4]:
        low, high = target.codes(16)
        x, direct = np.arange(low, high + 1), target.table(16)
        real = x * target.step(16)
        error = target.errors(direct, 16) * (1 / target.real(real))
        found[f"{target.name} direct"] = float(np.abs(error).max())
    inner = Target(name="1/sqrt", real=FUNCTIONS[3].real, low=1.0, high=1024.0, rising=False)
    table, unit = inner.table(16), inner.step(16)
    given = np.where(real < 1, real * SCALING, real)
    values = table.evaluate(np.rint(given / unit).astype(np.int64).clip(*INPUT)) * inner.scale(16)
    error = np.where(real < 1, values * np.sqrt(SCALING), values) * np.sqrt(real) - 1
    found["1/sqrt scaled"] = float(np.abs(error).max())
    whole = np.arange(1, 2**15)
    factor, place = normalised(whole, reciprocal(), 14, 1)
    found["1/x leading one"] = float(np.abs(factor * np.exp2(-15.0 - place) * whole - 1).max())
    factor, place = normalised(whole, root(), 12, 2)
    found["1/sqrt leading one"] = float(np.abs(factor * np.exp2(-15.0 - place / 2) * np.sqrt(whole) - 1).max())
    return found
