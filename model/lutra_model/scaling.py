"""Technologies at other nodes: logic and memory each by its own published law, marked as derived."""

import math
from dataclasses import replace

from . import sram
from .entries import MACROS, Entry
from .technology import NAMES, Technology, builtin, load

__all__ = ["NODES", "area_factor", "energy_factor", "named", "scaled"]

LAW = ("Stillmaker and Baas, Scaling equations for the accurate prediction of CMOS device performance from 180 nm to "
       "7 nm, Integration 58 (2017)")
AREA = {180: 19, 130: 6.4, 90: 2.8, 65: 1.5, 45: 1, 32: 0.46, 20: 0.21, 16: 0.19, 14: 0.17, 10: 0.1, 7: 0.059}
ENERGY = {  # coefficients of V^2, V and 1 (high performance), and the nominal voltage of the models behind them
    180: (0, 24.64, -17.98, 1.8), 130: (7.171, -6.709, 2.904, 1.3), 90: (4.762, -4.781, 2.092, 1.2),
    65: (3.755, -4.398, 1.975, 1.1), 45: (1.018, -0.3107, 0.1539, 1.0), 32: (0.8367, -0.4341, 0.1701, 0.9),
    20: (0.373, -0.1582, 0.04104, 0.9), 16: (0.2958, -0.1241, 0.03024, 0.85), 14: (0.2363, -0.09675, 0.02239, 0.8),
    10: (0.2068, -0.09311, 0.02375, 0.75), 7: (0.1776, -0.09097, 0.02447, 0.7)}
NODES = (min(AREA), max(AREA))  # nanometres, the first and last that the law knows
ERROR = 0.35  # uncertainty that the law adds for each halving of the node (docs/cost-model.md, "Technologies")
KEPT = ("clock_period", "dram")
MOST = 0.95  # an uncertainty stays below 1


def _between(table: dict[int, float], node_nm: float) -> float:
    """A straight line between a table's nodes, on logarithmic axes."""
    high = min(node for node in table if node >= node_nm)
    low = max(node for node in table if node <= node_nm)
    share = math.log(node_nm / low) / math.log(high / low) if high > low else 0.0
    return table[low] ** (1 - share) * table[high] ** share


def area_factor(node_nm: float) -> float:
    """Area of the same logic, relative to 45 nm.

    >>> area_factor(7)
    0.059
    """
    return _between(AREA, node_nm)


def energy_factor(node_nm: float, voltage: float | None = None) -> float:
    """Energy of the same logic, at a voltage or at the node's nominal one; between the law's nodes at theirs."""
    def at(node: int, volts: float) -> float:
        square, linear, constant, _ = ENERGY[node]
        return square * volts**2 + linear * volts + constant

    if voltage is not None and node_nm in ENERGY:
        return at(int(node_nm), voltage)
    return _between({node: at(node, row[3]) for node, row in ENERGY.items()}, node_nm)


def scaled(technology: Technology, node_nm: float) -> Technology:
    """The technology at another node, at its nominal voltage and with the clock and DRAM that it has.

    Raises ``ValueError`` for a technology whose own node is not known, and for nodes that the law does not know.
    """
    own = technology.node_nm
    if own is None:
        raise ValueError(f"technology {technology.name} must say its node_nm to be scaled")
    for node in (own, node_nm):
        if not NODES[0] <= node <= NODES[1]:
            raise ValueError(f"node must be {NODES[0]} to {NODES[1]} nm, not {node:g}")
    energy = energy_factor(node_nm) / energy_factor(own, technology.voltage)
    area = area_factor(node_nm) / area_factor(own)

    def entry(name: str, old: Entry) -> Entry:
        if name in KEPT:
            return old
        if name in MACROS or name == "sram_leakage":
            return _memory(name, old, own, node_nm)
        factor = area if name.endswith("_area") else energy
        if name == "logic_leakage":  # of a gate in step with its energy
            factor = energy / area
        return _times(old, factor, ERROR * abs(math.log2(node_nm / own)),
                      f"{LAW}: factor {factor:.3g} from {own:g} to {node_nm:g} nm")

    return replace(technology, name=f"{technology.name}@{node_nm:g}", node_nm=node_nm, voltage=None,
                   title=f"{technology.title}; scaled to {node_nm:g} nm",
                   entries={name: entry(name, old) for name, old in technology.entries.items()})


def _times(old: Entry, factor: float, law: float, source: str) -> Entry:
    assert isinstance(old.value, float)
    activity = old.activity and replace(old.activity, idle=old.activity.idle * factor)
    return replace(old, value=old.value * factor, activity=activity, status="derived",
                   source=f"{old.source}; {source}", uncertainty=min(MOST, math.hypot(old.uncertainty, law)))


def _memory(name: str, old: Entry, own: float, node_nm: float) -> Entry:
    """As CACTI's memories of the same size go from node to node."""
    new, before = (sram.sram_entries(node)[name] for node in (node_nm, own))
    law = max(new.uncertainty, before.uncertainty)
    source = f"scaled from {own:g} to {node_nm:g} nm as {new.source}"
    if not isinstance(old.value, tuple):
        assert isinstance(new.value, float)
        assert isinstance(before.value, float)
        return _times(old, new.value / before.value, law, source)
    value = tuple((size, price * new.at(size) / before.at(size)) for size, price in old.value)
    return replace(old, value=value, status="derived", source=f"{old.source}; {source}",
                   uncertainty=min(MOST, math.hypot(old.uncertainty, law)))


def named(text: str) -> Technology:
    """The technology of a built-in name or of a file; ``NAME@28`` is the one of that name, scaled to 28 nm.

    Raises ``ValueError``, one sentence, where there is none.
    """
    name, at, node = text.rpartition("@")
    if not at:
        return builtin(text) if text in NAMES else load(text)
    try:
        node_nm = float(node.removesuffix("nm"))
    except ValueError:
        raise ValueError(f"technology {text} must give its node in nanometres after @, not {node!r}") from None
    if not math.isfinite(node_nm):
        raise ValueError(f"node must be {NODES[0]} to {NODES[1]} nm, not {node}")
    return scaled(named(name), node_nm)
