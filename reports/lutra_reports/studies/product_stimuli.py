"""What goes into a row of product cells: fills of its tables and weights, and activations in between."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from .product_cells import Product, levels, reference, table

__all__ = ["HELD", "STIMULI", "expected", "inputs"]

STIMULI = ("random", "network-like")
HELD = 64        # activations for which weights stay
CORRELATION = 0.9  # of an activation with the one before, before its ReLU

Cycles = NDArray[np.int64]


def _activations(product: Product, stimulus: str, count: int, rng: np.random.Generator) -> Cycles:
    """Levels: uniform, or of a rectified correlated normal sequence, half of which is zero."""
    if stimulus == "random":
        return rng.integers(0, product.levels, count)
    noise, value = rng.normal(size=count), 0.0
    signal = np.empty(count)
    for place in range(count):
        value = CORRELATION * value + np.sqrt(1 - CORRELATION**2) * noise[place]
        signal[place] = value
    return np.minimum(np.maximum(signal, 0) / 2.5 * product.levels, product.levels - 1).astype(np.int64)


def _weights(product: Product, stimulus: str, rng: np.random.Generator) -> Cycles:
    if stimulus == "random":
        return rng.integers(0, product.levels, product.share)
    middle, deviation = product.levels / 2, product.levels / 5
    return np.clip(np.rint(rng.normal(middle, deviation, product.share)), 0, product.levels - 1).astype(np.int64)


def _fill(product: Product, weights: Cycles, first: bool) -> list[dict[str, int]]:
    """Cycles that bring weights (and, the first time, tables that all weights share) into the cells."""
    if product.form == "row":
        return [{"write": 1, "entry": entry} | {f"t_{n}": int(table(product)[entry, weight])
                                                for n, weight in enumerate(weights)}
                for entry in range(product.levels)]
    found: list[dict[str, int]] = []
    if first and product.form in ("column", "told"):
        found = [{"write": 1, "entry": entry} | {f"t_{n}": int(value) for n, value in enumerate(row)}
                 for entry, row in enumerate(table(product))]
    if first and product.form == "decoded":
        found = [{"write": 1, "entry": entry, "t_0": int(value)} for entry, value in enumerate(levels(product)[0])]
    return [*found, {"load": 1} | {f"w_{n}": _code(product, int(weight)) for n, weight in enumerate(weights)}]


def _code(product: Product, weight: int) -> int:
    """What the weight's port takes."""
    if product.form == "decoded":
        return int(levels(product)[1][weight]) % 256
    return (weight - product.levels // 2) % product.levels if product.form == "multiplier" else weight


def inputs(product: Product, stimulus: str, rounds: int, seed: int, active: bool) -> tuple[dict[str, Cycles], Cycles,
                                                                                           Cycles]:
    """Values of every port by cycle, numbers of the cycles with activations, and the weights' levels in these.

    ``active`` False: the same fills one after the other, without an activation in between.
    """
    rng, cycles, used, weights = np.random.default_rng(seed), list[dict[str, int]](), list[int](), list[Cycles]()
    f = 0
    for number in range(rounds):
        mine, levels_in = _weights(product, stimulus, rng), _activations(product, stimulus, HELD, rng)
        cycles += [{"f": f} | values for values in _fill(product, mine, number == 0)]
        if active:
            for level in levels_in:
                used.append(len(cycles))
                weights.append(mine)
                cycles.append({"f": int(level)})
        cycles += [{"f": cycles[-1]["f"]}] * (product.latency - 2)  # weights stay while products are under way
        f = int(levels_in[-1])
    cycles += [{"f": cycles[-1]["f"]}] * (product.latency + 1)
    names = sorted({name for values in cycles for name in values})
    return ({name: _column(cycles, name) for name in names}, np.array(used, np.int64),
            np.array(weights, np.int64).reshape(len(used), product.share))


def _column(cycles: list[dict[str, int]], name: str) -> Cycles:
    """A port's values; data ports keep theirs where nothing is said, strobes fall to 0."""
    keep, value, found = name not in ("load", "write"), 0, []
    for values in cycles:
        value = values.get(name, value if keep else 0)
        found.append(value)
    return np.array(found, np.int64)


def expected(product: Product, ports: Mapping[str, Cycles], used: Cycles, weights: Cycles) -> Cycles:
    """Products of all cells, ``(activations, share)``; cell N's is at ``o_N``, ``latency`` cycles after its level."""
    return reference(product, ports["f"][used], weights)
