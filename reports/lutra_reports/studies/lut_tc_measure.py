"""Stimuli of LUT Tensor Core's units, and what they measure at gate level."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bench import Bench, agree, facts
from .lut_tc_cells import ACCUMULATOR, FORMS, LENGTH, LookupUnit, MacUnit, Unit, sums
from .product_stimuli import STIMULI

__all__ = ["lookup_inputs", "mac_inputs", "measure", "units"]

GROUPS_SUMMED = 48  # groups of activations that a run goes through
CLEARED = 16        # of them go into one sum
COLUMNS = 32
LATENCY = {"lookup": 2, "mac": 2}  # cycles from a plane's (or a product's) weights to its accumulator
Ints = NDArray[np.int64]


def units() -> list[Unit]:
    """The steps of the paper's table 2, then groups of other sizes, then weights of other widths."""
    steps = [Unit(form=form, columns=2 * COLUMNS) for form in FORMS]
    groups = [Unit(group=group, columns=COLUMNS, bits=1) for group in (2, 3, 4, 5, 6)]
    return [*steps, *groups, *(Unit(columns=COLUMNS, bits=bits) for bits in (2, 4, 8))]


def _activations(stimulus: str, count: int, group: int, rng: np.random.Generator) -> Ints:
    """Uniform INT8, or half zeros and half of a normal distribution."""
    if stimulus == "random":
        return rng.integers(-128, 128, (count, group))
    return np.clip(np.rint(np.maximum(rng.normal(0, 45, (count, group)), 0)), 0, 127).astype(np.int64)


def lookup_inputs(unit: Unit, stimulus: str, seed: int) -> tuple[dict[str, Ints], Ints, Ints]:
    """Port values by cycle, the cycles of the planes, and what accumulators hold after each ``(planes, columns)``."""
    rng = np.random.default_rng(seed)
    a = _activations(stimulus, GROUPS_SUMMED, unit.group, rng)
    signs = rng.integers(0, 2, (GROUPS_SUMMED, unit.bits, unit.columns, unit.group))
    planes, columns = GROUPS_SUMMED * unit.bits, unit.columns
    bits = signs.reshape(planes, columns, unit.group)
    values = np.einsum("pcg,pg->pc", 2 * bits - 1, np.repeat(a, unit.bits, axis=0))
    plane = np.tile(np.arange(unit.bits), GROUPS_SUMMED)
    start = (np.arange(planes) % (CLEARED * unit.bits) == 0).astype(np.int64)
    totals = np.zeros((planes, columns), np.int64)
    for number in range(planes):
        before = 0 if start[number] or not number else totals[number - 1]
        totals[number] = before + (values[number] << plane[number])
    codes = _patterns(unit, bits)
    ports = {f"w_{n}": codes[:, n] for n in range(columns)} | {"shift": plane, "clear": start}
    if unit.form == FORMS[3]:
        table = np.repeat(sums(a, whole=False), unit.bits, axis=0)
        ports |= {f"t_{n}": np.concatenate([[0], table[:-1, n]]) for n in range(unit.entries)}
        last = {f"t_{n}": table[-1, n] for n in range(unit.entries)}
    else:
        packed = (a & 255) @ (1 << 8 * np.arange(unit.group))
        ports |= {"a": np.repeat(packed, unit.bits), "opens": (plane == 0).astype(np.int64)}
        last = {"opens": 0, "a": packed[-1]}
    return _longer(ports, last), np.arange(planes), totals


def _patterns(unit: Unit, bits: Ints) -> Ints:
    """Index and sign of each column in each plane, from signs ``(planes, columns, group)``: 1 for +1.

    Half a table holds sums with the last weight negative; a positive one negates the entry of the inverted others.
    """
    codes = bits @ (1 << np.arange(unit.group))
    if unit.form in FORMS[2:]:
        return np.where(bits[..., -1] == 1, codes ^ ((1 << unit.group - 1) - 1), codes)
    return codes


def _longer(ports: dict[str, Ints], last: dict[str, Any]) -> dict[str, Ints]:
    """The same with a few idle cycles, in which what was accumulated last appears."""
    return {name: np.concatenate([values, np.full(3, last.get(name, values[-1]))]) for name, values in ports.items()}


def mac_inputs(bits: int, columns: int, stimulus: str, seed: int) -> tuple[dict[str, Ints], Ints, Ints]:
    """The same for a unit that multiplies by random weights."""
    rng = np.random.default_rng(seed)
    a = _activations(stimulus, GROUPS_SUMMED, LENGTH, rng)
    codes = rng.integers(0, 1 << bits, (GROUPS_SUMMED, columns, LENGTH))
    weights = 2 * codes - 1 if bits == 1 else (codes + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1)
    values = np.einsum("pcg,pg->pc", weights, a)
    start = (np.arange(GROUPS_SUMMED) % CLEARED == 0).astype(np.int64)
    totals = values.copy()
    for number in range(1, GROUPS_SUMMED):
        totals[number] += 0 if start[number] else totals[number - 1]
    packed = codes @ (1 << bits * np.arange(LENGTH))
    ports = {"a": (a & 255) @ (1 << 8 * np.arange(LENGTH)), "clear": start}
    return _longer(ports | {f"w_{n}": packed[:, n] for n in range(columns)}, {}), np.arange(GROUPS_SUMMED), totals


def _energies(bench: Bench, netlist: Any, columns: int, macs: int, name: str,
              inputs: Callable[[str], tuple[dict[str, Ints], Ints, Ints]]) -> dict[str, float]:
    """Femtojoules of a multiply-accumulate, of each stimulus."""
    found = {}
    for stimulus in STIMULI:
        ports, cycles, totals = inputs(stimulus)
        run = bench.run(netlist, ports)
        outputs = np.stack([run.outputs[f"o_{n}"][cycles + 2] for n in range(columns)], axis=1)
        agree(outputs, totals, ACCUMULATOR, name)
        found[stimulus] = round(1000 * run.energy.total / macs, 3)
    return found


def _measured(bench: Bench) -> Iterator[dict[str, Any]]:
    for unit in units():
        netlist = bench.netlist(LookupUnit(unit), f"lookup unit, {unit.form}")
        macs = GROUPS_SUMMED * unit.group * unit.columns
        yield {"unit": "lookup", **vars(unit), **facts(netlist), "energy_fj": _energies(
            bench, netlist, unit.columns, macs, str(unit),
            lambda stimulus, unit=unit: lookup_inputs(unit, stimulus, 0))}  # type: ignore[misc]
    for bits in (1, 2, 4, 8):
        netlist = bench.netlist(MacUnit(bits, COLUMNS), f"multiplying unit, {bits} bits")
        yield {"unit": "mac", "group": LENGTH, "columns": COLUMNS, "bits": bits, **facts(netlist),
               "energy_fj": _energies(bench, netlist, COLUMNS, GROUPS_SUMMED * LENGTH * COLUMNS, f"mac, {bits} bits",
                                      lambda stimulus, bits=bits: mac_inputs(bits, COLUMNS, stimulus, 0))}  # type: ignore[misc]


def measure(bench: Bench, progress: Callable[[str, int, int], None]) -> list[dict[str, Any]]:
    """Area, delay and energy of all units."""
    found, total = [], len(units()) + 4
    for done, point in enumerate(_measured(bench), start=1):
        found.append(point)
        progress("measuring units", done, total)
    return found
