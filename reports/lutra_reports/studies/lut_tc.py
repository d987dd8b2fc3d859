"""LUT Tensor Core: where its density and energy come from, step by step."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lutra_model.params import Array, Layer
from lutra_model.schemes import Options
from lutra_model.structure import Number
from lutra_model.technology import Technology
from lutra_model.workloads import bert_base

from .base import Found, Paper, Row, Study, Table
from .lut_tc_cells import FORMS
from .lut_tc_measure import measure
from .lut_tc_parts import Unit, multiplier, priced
from .machines import counted, pair
from .measured import Measured

__all__ = ["STUDY"]

STEPS = {  # of the paper's table 2: what changes, density over the first, efficiency over the first, why ours differs
    "symmetric weights: half a table": (
        Unit(inverted=True, builder=True), 1.317, 1.301,
        "Accumulators, which no step touches, are a larger share of ours."),
    "inversion done to the weights": (
        Unit(builder=True), 1.351, 1.347,
        "An inversion of three bits for each group of weights is next to nothing in parts."),
    "tables made outside the unit": (
        Unit(), 1.440, 1.442,
        "In parts the table's flip-flops stay, in gates they go with the builder; either is shared by 64 columns.")}
PARTS = ("By technology: parts at prices, with tables and weights in flip-flops. In gates: Lutra's own netlists of one "
         "table and 64 columns, as far as they were measured. ")
FIRST = Unit(folded=False, builder=True)
TABLE = "table 2 (W2 A8, 512 one-bit products a cycle, 28 nm): "
BITS = (1, 2, 3, 4, 6, 8)
GROUPS = (1, 2, 3, 4, 5, 6)
TILES = (1, 2, 4, 8, 16)  # tables of a unit of 512 one-bit products
READING = "the paper's text"


def _area(unit: Unit, technology: Technology) -> float:
    return priced([unit.static(), unit.moving(), unit.building()], technology, "_area")


def _energy(unit: Unit, technology: Technology, planes: int = 2) -> float:
    """Of a cycle; tables and what makes them work once for all planes of a weight, weights stay."""
    table = {"register": unit.tables * unit.entries * unit.entry / planes}
    building = {name: amount / planes for name, amount in unit.building().items()}
    return priced([table, unit.moving(), building], technology)


def _cost(point: Mapping[str, Any], what: str) -> float:
    """Area, or energy of a product with random data, of a measured unit."""
    return float(point["area_um2"] if what == "density" else point["energy_fj"]["random"])


def _steps(technologies: Sequence[Technology], measured: Sequence[Measured]) -> list[Row]:
    rows = []
    for form, (step, (unit, density, efficiency, why)) in zip(FORMS[1:], STEPS.items(), strict=True):
        for what, paper, cost in (("density", density, _area), ("power efficiency", efficiency, _energy)):
            ours = {technology.name: cost(FIRST, technology) / cost(unit, technology) for technology in technologies}
            for item in measured:
                before, after = (item.one(unit="lookup", form=name, columns=64) for name in (FORMS[0], form))
                if before and after:
                    ours[item.basis] = _cost(before, what) / _cost(after, what)
            rows.append(Row(f"{what} over a unit with a whole table: {step}", "", ours, PARTS + why,
                            Paper(paper, TABLE + what)))
    return rows


def _measured_optimum(measured: Sequence[Measured], what: str) -> dict[str, float]:
    """Activations of a table with least cost of a product, weights of one bit."""
    found = {}
    for item in measured:
        units = [point for point in item.points if point["unit"] == "lookup" and point["bits"] == 1]
        costs = {point["group"]: _cost(point, what) / (point["group"] if what == "density" else 1) for point in units}
        if costs:
            found[item.basis] = float(_least(costs))
    return found


def _least(costs: dict[int, float]) -> int:
    return min(costs, key=lambda key: costs[key])


def _groups(technology: Technology, bits: int, cost: Callable[..., float]) -> dict[int, float]:
    """Cost of a one-bit product by the activations of a table, with the builder, for 64 columns."""
    found = {}
    for group in GROUPS:
        unit = Unit(group=group, tables=1, bits=bits, folded=True, builder=True)
        found[group] = cost(unit, technology) / unit.macs
    return found


def _tiles(technology: Technology) -> dict[int, float]:
    """Area of 512 one-bit products a cycle by how many tables they come from: more tables, fewer columns."""
    return {tables: _area(Unit(tables=tables, columns=128 // tables), technology) for tables in TILES}


def _excess(technologies: Sequence[Technology]) -> float:
    """Percent of area that the paper's tile needs more than the best one, at most."""
    tiles = [_tiles(technology) for technology in technologies]
    return max(100 * (item[2] / min(item.values()) - 1) for item in tiles)


def _optima(technologies: Sequence[Technology], measured: Sequence[Measured]) -> list[Row]:
    group = {technology.name: float(_least(_groups(technology, 1, _area))) for technology in technologies}
    power = {technology.name: float(_least(_groups(technology, 1, _energy))) for technology in technologies}
    tiles = {technology.name: float(_least(_tiles(technology))) for technology in technologies}
    why = "Entries double with every activation more, readers and adders halve: the least lies flat around it."
    return [Row("activations of a table with least area, W1 A8", "",
                group | _measured_optimum(measured, "density"), why, Paper(4, READING + ": K = 4")),
            Row("activations of a table with least energy, W1 A8", "",
                power | _measured_optimum(measured, "energy"), why, Paper(4, READING + ": K = 4")),
            Row("tables of a unit of 512 one-bit products with least area, W2 A8", "", tiles,
                "A table of eight 11-bit entries with its builder against a group of weights of eight bits: the least "
                f"is flat, two tables need {_excess(technologies):.1f} % more area than the best at most.",
                Paper(2, READING + ": M2 N64 K4, elongated"))]


def _measured_ratios(item: Measured, what: str) -> dict[int, float]:
    """Multiplication over lookup in units of gates, for equal throughput, by bits of a weight."""
    found = {}
    for bits in BITS:
        mac, lookup = (item.one(unit=unit, bits=bits, group=4, columns=32) for unit in ("mac", "lookup"))
        if mac and lookup:
            passes = bits if what == "density" else 1  # energies are those of whole products
            found[bits] = _cost(mac, what) / (passes * _cost(lookup, what))
    return found


def _multiplying(technologies: Sequence[Technology], measured: Sequence[Measured]) -> tuple[list[Row], Table]:
    rows, cells = [], []
    for technology in technologies:
        for name, what, cost in (("area", "_area", _area), ("energy", "", _energy)):
            ratios = [priced(multiplier(bits, 128), technology, what) / (
                bits * cost(Unit(bits=bits), technology, *([bits] if name == "energy" else []))) for bits in BITS]
            cells.append([technology.name, name, *(f"{ratio:.2f}" for ratio in ratios)])
    for item in measured:
        for name, what in (("area", "density"), ("energy", "energy")):
            found = _measured_ratios(item, what)
            cells.append([item.basis, name, *(f"{found[bits]:.2f}" if bits in found else "" for bits in BITS)])
    limit = {technology.name: float(max((bits for bits in BITS if priced(multiplier(bits, 128), technology, "_area")
                                         > bits * _area(Unit(bits=bits), technology)), default=0))
             for technology in technologies}
    limit |= {item.basis: float(max((bits for bits, ratio in densities.items() if ratio > 1), default=0))
              for item in measured if (densities := _measured_ratios(item, "density"))}
    rows.append(Row("weight bits up to which lookup has the denser unit, A8", "bit", limit,
                    "Ours multiplies by weights of as few bits, sums four products with the accumulator in one tree, "
                    "and charges table and builder to lookup, of which the paper's unit has neither.",
                    Paper(2, READING + ": INT8 activations win with weights of 1 and 2 bits, not of 4", high=3)))
    return rows, Table("multiplication by weights of as many bits over lookup, for equal throughput",
                       ["technology", "cost", *(f"W{bits}" for bits in BITS)], cells)


def _machines(technologies: Sequence[Technology]) -> list[Row]:
    """Whole arrays on BERT-base's products, and how often tables are built."""
    found = pair(bert_base(), "lut-tc", Options(bits=2))
    core = ("encoder", "cells", "adds", "fill")
    int8, fp16, per_bit = {}, {}, {}
    for technology in technologies:
        lookup, rival = found.priced(technology)
        wide = rival.run.in_number("fp16", Number.FP16).priced(technology)
        mine, theirs, floats = (sum(item.bill.components[name] for name in core) for item in (lookup, rival, wide))
        int8[technology.name], fp16[technology.name] = theirs / mine, floats / mine
        per_bit[technology.name] = 1000 * mine / (2 * found.lookups[0].macs)
    layer = Layer(name="opt", rows=1, codebooks=3072, columns=12288, length=4, entries=1, engine="lut-tc")
    sums = 12  # additions of one table
    builds = {columns: counted(layer, Array(engine="lut-tc", rows=16, columns=columns, encoders=16, length=4, entries=1,
                                            index_words=8192, codebooks=4096)).encoder_adds / (sums * layer.codebooks)
              for columns in (4, 64)}
    return [
        Row("times that every table is built, 4 columns, 12288 outputs", "", {"counted": builds[4]},
            "A table for each tile of columns, counted by the machine.",
            Paper(3072, READING + ": 12288 / 4, OPT-175B"), digits=0),
        Row("times that every table is built, 64 columns, 12288 outputs", "", {"counted": builds[64]},
            "What the elongated tile does about it.", None),
        Row("energy of a one-bit product, W2 A8", "fJ", per_bit,
            "Ours is a whole array on BERT-base: tables are built in it, and adder trees, control of clocks and idle "
            "cells are charged; theirs is a unit at 28 nm, 1 GHz, with tables at its ports and the tool's activity.",
            Paper(31.7, "arithmetic on table 2: 16.22 mW, 1 GHz, 512 one-bit products")),
        Row("array energy of INT8 multiplication over lookup, W2 A8", "", int8,
            "Cells, trees and tables of whole arrays at equal throughput; the ratio that a machine of INT8 activations "
            "has to look at.", Paper(1.6, "arithmetic on tables 1 and 2: 100 fJ over 63 fJ")),
        Row("array energy of FP16 multiplication over lookup, W2 A8", "", fp16,
            "The same lookup against FP16: most of the headline is this choice of the baseline.",
            Paper(10.7, "arithmetic on tables 1 and 2: 671 fJ over 63 fJ"))]


def _find(technologies: Sequence[Technology], measured: Sequence[Measured]) -> Found:
    rows, table = _multiplying(technologies, measured)
    return Found([*_steps(technologies, measured), *_optima(technologies, measured), *rows, *_machines(technologies)], [
        "Half tables, and tables made once for many columns, carry the density; the rest of the headline is the "
        "baseline: FP16, where INT8 would do."], [table])


STUDY = Study("lut-tc", "LUT Tensor Core: density and energy, step by step",
              "Z. Mo et al., LUT Tensor Core: A Software-Hardware Co-Design for LUT-Based Low-Bit LLM Inference, ISCA "
              "2025, arXiv 2408.06003", _find, measure)
