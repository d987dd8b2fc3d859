"""SRAM at any node: CACTI's table, a real macro of 130 nm, lines between them, laws beyond."""

import csv
import math
from functools import cache
from importlib.resources import files

from .entries import UNITS, Entry
from .technology import MACRO_BITS

__all__ = ["COLUMNS", "SOURCE", "leakage", "points", "sram_entries"]

COLUMNS = ("node_nm", "bytes", "read_pj", "write_pj", "leakage_mw", "area_um2")
PRICES = {"sram_read": "read_pj", "sram_write": "write_pj", "sram_area": "area_um2"}
SOURCE = ("CACTI 7 (sources of hwcomponents-cacti 1.0.40, `lutra technology sram`), itrs-lstp, 300 K, one bank, "
          f"{MACRO_BITS}-bit port")
INSIDE, OUTSIDE = 0.4, 0.6  # uncertainty: at CACTI's nodes and between them; of others
SIZE = 8192.0  # bytes of what leaks, and of the real macro
BELOW, ABOVE = (0.5, 0.5, 1.0), (2.0, 2.0, 2.0)  # powers of the node: read, write, area
LAW_BELOW = ("below 22 nm energy with the square root of the node and area in proportion to it, as hwcomponents-cacti "
             "reads IRDS 2022")
LAW_ABOVE = "above 130 nm with the square of the node, as CACTI from 65 to 90 nm"
REAL_NM = 130.0
REAL = {"read_pj": 91.8272, "write_pj": 110.9189, "leakage_mw": 0.00191, "area_um2": 263946.0}  # of 8 KB
REAL_SOURCE = ("CACTI 7 at 90 nm, its dependence on size, drawn through the 8 KB macro of IHP SG13G2, 130 nm, 1.2 V "
               "(RM_IHPSG13_1P_1024x64, typical corner, IHP-Open-PDK, Apache-2.0); at 2 KB a real one needs 1.6 times "
               "as much")


@cache
def _table() -> dict[float, dict[str, tuple[tuple[float, float], ...]]]:
    """Points ``(bytes, value)`` by node and column."""
    text = (files(__package__) / "technologies" / "cacti-7.csv").read_text(encoding="utf-8")
    found: dict[float, dict[str, list[tuple[float, float]]]] = {}
    for row in csv.DictReader(text.splitlines()):
        node = found.setdefault(float(row["node_nm"]), {name: [] for name in COLUMNS[2:]})
        for name, values in node.items():
            values.append((float(row["bytes"]), float(row[name])))
    largest = max(found)
    found[REAL_NM] = {name: [(size, value * REAL[name] / dict(values)[SIZE]) for size, value in values]
                      for name, values in found[largest].items()}
    return {node: {name: tuple(values) for name, values in columns.items()} for node, columns in found.items()}


def points(column: str, node_nm: float) -> tuple[tuple[float, float], ...]:
    """``(bytes, value)`` of a column at a node: on a straight line between CACTI's nodes, on logarithmic axes."""
    table, nodes = _table(), sorted(_table())
    inside = min(max(node_nm, nodes[0]), nodes[-1])
    high = next(node for node in nodes if node >= inside)
    low = max(node for node in nodes if node <= inside)
    share = math.log(inside / low) / math.log(high / low) if high > low else 0.0
    law = dict(zip(PRICES.values(), BELOW if node_nm < inside else ABOVE, strict=True)).get(column, 1.0)
    scale = (node_nm / inside) ** law
    return tuple((size, scale * a ** (1 - share) * b ** share)
                 for (size, a), (_, b) in zip(table[low][column], table[high][column], strict=True))


def _said(node_nm: float) -> tuple[str, float]:
    """What a source says of a node, and the uncertainty."""
    nodes = sorted(_table())
    if node_nm <= nodes[-2]:
        within = "" if node_nm in nodes else f"; {LAW_BELOW}" if node_nm < nodes[0] else " between its nodes"
        return f"{SOURCE}, {node_nm:g} nm{within}", OUTSIDE if node_nm < nodes[0] else INSIDE
    within = "" if node_nm == REAL_NM else f"; {LAW_ABOVE}" if node_nm > REAL_NM else "; between the two"
    return f"{REAL_SOURCE}{within}", OUTSIDE


def leakage(node_nm: float) -> float:
    """Picojoules that a bit of a memory of 8 KB leaks in a nanosecond."""
    milliwatts = dict(points("leakage_mw", node_nm))[SIZE]
    return milliwatts / (SIZE * 8)


def sram_entries(node_nm: float) -> dict[str, Entry]:
    """Read, write, area and leakage of memories at a node."""
    source, uncertainty = _said(node_nm)
    found = {name: Entry(value=points(column, node_nm), unit=UNITS[name], source=source, status="derived",
                         uncertainty=uncertainty) for name, column in PRICES.items()}
    return found | {"sram_leakage": Entry(value=leakage(node_nm), unit="pJ/ns/bit", source=f"{source}: 8 KB",
                                          status="derived", uncertainty=0.9)}
