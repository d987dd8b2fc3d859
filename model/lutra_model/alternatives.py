"""The same technology with other memories, or with other memory outside the chip: what nobody's price list decides."""

import csv
import math
from dataclasses import replace
from functools import cache
from importlib.resources import files

from .entries import UNITS, Entry
from .sram import COLUMNS, points, sram_entries
from .technology import MACRO_BITS, SMALLEST_MACRO, Technology

__all__ = ["DEVICES", "DRAMS", "MEMORIES", "alternatives", "with_dram", "with_memory"]

OWN = "own"
REGISTERS = "registers"
CACTI = "cacti-lstp"
DEVICES = {"lop": "of low operating power", "hp": "of high performance"}
PRICES = {"sram_read": "read_pj", "sram_write": "write_pj", "sram_area": "area_um2", "sram_leakage": "leakage_mw"}
MEMORIES = {
    OWN: "memories as the technology's file prices them",
    CACTI: "memories by CACTI 7 at the technology's node, transistors of little leakage",
    **{f"cacti-{device}": f"the same of transistors {title}" for device, title in DEVICES.items()},
    REGISTERS: f"memories of up to {SMALLEST_MACRO * 8 // MACRO_BITS} words of registers and multiplexers, "
               "the others as in the file",
}
DRAMS = {  # pJ/bit, boundary, uncertainty, source; read in secondary copies
    "hbm2": (3.97, "HBM2, device and interface", 0.3, "O'Connor et al., Fine-grained DRAM, MICRO 2017"),
    "lpddr4": (8.5, "LPDDR4, full system", 0.3, "H. Ha, PhD thesis, Stanford 2018, figures 4.8 and 4.9"),
    "ddr3": (30.5, "DDR3 class, device and interface", 0.33, "Horowitz, ISSCC 2014: 1.3 to 2.6 nJ for 64 bits"),
}


@cache
def _device(name: str) -> dict[float, dict[str, float]]:
    """How many times as much memories of other transistors take, by node and column of CACTI: the mean over sizes."""
    text = (files(__package__) / "technologies" / "cacti-7-devices.csv").read_text(encoding="utf-8")
    logs: dict[float, dict[str, list[float]]] = {}
    for row in csv.DictReader(text.splitlines()):
        node = float(row["node_nm"])
        for column in COLUMNS[2:] if row["device"] == name else ():
            usual = dict(points(column, node))[float(row["bytes"])]
            logs.setdefault(node, {}).setdefault(column, []).append(math.log(float(row[column]) / usual))
    return {node: {column: math.exp(sum(values) / len(values)) for column, values in columns.items()}
            for node, columns in logs.items()}


def _factor(device: str, column: str, node_nm: float) -> float:
    """The same at any node: a straight line between CACTI's nodes on logarithmic axes, the last one beyond them."""
    table = _device(device)
    inside = min(max(node_nm, min(table)), max(table))
    high, low = min(node for node in table if node >= inside), max(node for node in table if node <= inside)
    share = math.log(inside / low) / math.log(high / low) if high > low else 0.0
    return table[low][column] ** (1 - share) * table[high][column] ** share


def _cacti(node_nm: float, device: str) -> dict[str, Entry]:
    """CACTI's memories at a node, of other transistors than ``lstp``."""
    found = {}
    for name, entry in sram_entries(node_nm).items():
        factor = _factor(device, PRICES[name], node_nm) if device != "lstp" else 1.0
        value = (tuple((size, factor * price) for size, price in entry.value) if isinstance(entry.value, tuple)
                 else factor * entry.value)
        source = entry.source if device == "lstp" else f"{entry.source}; itrs-{device}: {factor:.3g} times as much"
        found[name] = replace(entry, value=value, source=source)
    return found


def _registers(technology: Technology) -> dict[str, Entry]:
    """Small memories of gates: a bit is read through a tree of multiplexers, and written into a register."""
    words = SMALLEST_MACRO * 8 // MACRO_BITS
    gates = {"sram_read": ("mux", words - 1), "sram_write": ("register", 1)}
    found = {}
    for name, (gate, count) in gates.items():
        macro, entry = technology.entries[name], technology.entries[gate]
        small = MACRO_BITS * count * technology.price(gate)
        assert isinstance(macro.value, tuple)
        larger = [point for point in macro.value if point[0] > SMALLEST_MACRO + 1]
        step = (float(SMALLEST_MACRO + 1), macro.at(SMALLEST_MACRO + 1))
        found[name] = replace(macro, value=((float(SMALLEST_MACRO), small), step, *larger), status="derived",
                              uncertainty=max(macro.uncertainty, entry.uncertainty),
                              source=f"{macro.source}; up to {words} words: {count} {gate} for a bit")
    return found


def with_memory(technology: Technology, name: str) -> Technology:
    """The technology with the memories of that name, one of ``MEMORIES``.

    Raises ``ValueError`` for CACTI's where the technology's node is not known.
    """
    if name == OWN:
        return technology
    if name != REGISTERS and technology.node_nm is None:
        raise ValueError(f"technology {technology.name} must say its node_nm to have memories by CACTI")
    changed = (_registers(technology) if name == REGISTERS
               else _cacti(technology.node_nm or 0.0, name.removeprefix("cacti-")))
    return replace(technology, entries={**technology.entries, **changed})


def with_dram(technology: Technology, name: str) -> Technology:
    """The technology with the memory outside of that name, one of ``DRAMS``, or with its own."""
    if name == OWN:
        return technology
    value, boundary, uncertainty, source = DRAMS[name]
    entry = Entry(value=value, unit=UNITS["dram"], source=source, status="unverified", uncertainty=uncertainty)
    return replace(technology, dram_boundary=boundary, entries={**technology.entries, "dram": entry})


def alternatives(technology: Technology) -> dict[tuple[str, str], Technology]:
    """The technology in all its forms, by the names of memory and DRAM; its own first."""
    memories = [name for name in MEMORIES if technology.node_nm or not name.startswith("cacti-")]
    return {(memory, dram): with_dram(with_memory(technology, memory), dram)
            for memory in memories for dram in (OWN, *DRAMS)}
