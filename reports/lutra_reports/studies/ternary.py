"""Ternary weights: tables of activations, sign flips, or multipliers."""

from collections.abc import Callable, Mapping, Sequence
from itertools import product as combinations

from lutra_model.params import Array, Layer
from lutra_model.technology import Technology

from .base import Found, Paper, Row, Study, Table
from .machines import counted
from .measured import Measured

__all__ = ["STUDY", "built", "core"]

SIDE = 32  # inputs and outputs of the paper's core
AREAS = {"lookup": 0.120, "sign-flip": 0.197, "multiplier": 0.268}  # mm2, FP16, 16 nm
PLACE = "ternary-lut-dse (ISPASS 2026), partly read in a secondary source: "
VEC = "vlut.cpp @ 2cfd9b3, "
GROUPS = (1, 2, 3, 4, 5)
Price = Callable[[str], float]


def built(group: int) -> tuple[int, int]:
    """Additions and negations that make all sums of a group of ternary-weighted activations, none twice.

    In the order of Vec-LUT: what has its last weight positive adds one activation to a sum that is there (the first
    one to nothing); the rest is the negative of its mirror.

    >>> built(4)
    (40, 40)
    """
    done, added, negated = {(0,) * group}, 0, 0
    for code in sorted(combinations((-1, 0, 1), repeat=group), key=lambda code: sum(map(abs, code))):
        last = next((place for place in reversed(range(group)) if code[place]), None)
        if last is None or code[last] < 0:
            continue
        assert (*code[:last], 0, *code[last + 1:]) in done
        mirror = tuple(-digit for digit in code)
        done |= {code, mirror}
        added, negated = added + 1, negated + 1
    assert len(done) == 3 ** group
    return added, negated


def core(group: int, bits: int, add: float, price: Price) -> float:
    """Area of a core of `SIDE` inputs and outputs with one table for each group of inputs, told to all outputs.

    ``add``: area of one adder. A group of one is the sign-flip core. Counted are the adders that build the tables, the
    tables' registers, and for each output and table the choice of an entry, its negation and an addition.
    """
    tables, entries = -(-SIDE // group), (3 ** group - 1) // 2
    building = tables * (entries - group) * add
    stored = tables * entries * bits * price("register_area")
    chosen = SIDE * tables * ((entries + 1) * bits * price("mux_area") + add)
    weights = SIDE * tables * (group * 8 // 5 + 1) * price("register_area")
    return building + stored + chosen + weights


def _prices(technology: Technology, number: str) -> tuple[int, float, float]:
    """Bits of an entry, area of an adder, area of a multiplier."""
    if number == "FP16":
        return 16, technology.price("fp16_add_area"), technology.price("fp16_multiply_area")
    return 12, 20 * technology.price("add_area"), technology.price("multiply_area")


def _areas(technology: Technology, number: str) -> tuple[dict[str, float], int, dict[int, float]]:
    """The three cores, the best group, and the table core's area by group."""
    bits, add, multiply = _prices(technology, number)
    by_group = {group: core(group, bits, add, technology.price) for group in GROUPS}
    best = min(by_group, key=lambda group: by_group[group] if group > 1 else float("inf"))
    weights = SIDE * SIDE * 8 * technology.price("register_area")
    return {"lookup": by_group[best], "sign-flip": by_group[1],
            "multiplier": SIDE * SIDE * (multiply + add) + weights}, best, by_group


def _ratios(technologies: Sequence[Technology], number: str, over: str, under: str) -> dict[str, float]:
    found = {technology.name: _areas(technology, number)[0] for technology in technologies}
    return {name: areas[over] / areas[under] for name, areas in found.items()}


def _builds() -> list[Row]:
    rows = []
    for group in (3, 4, 5):
        layer = Layer(name="trits", rows=16, codebooks=16, columns=64, length=group, entries=1, engine="vec-lut")
        array = Array(engine="vec-lut", rows=16, columns=16, encoders=16, length=group, entries=1)
        tables = counted(layer, array).encoder_adds / (layer.rows * layer.codebooks)
        adds, negations = built(group)
        half = (3 ** group - 1) // 2
        rows += [Row(f"additions that build a table, g = {group}", "", {"counted": adds, "machine": tables},
                     "One addition for each half of the sums, in our builder as in theirs.",
                     Paper(half, VEC + "topological precompute"), digits=0),
                 Row(f"negations that build a table, g = {group}", "", {"counted": negations},
                     "Lutra's machine stores only half the sums and negates when it reads.",
                     Paper(half, VEC + "topological precompute"), digits=0)]
    return rows


def _find(technologies: Sequence[Technology], measured: Sequence[Measured]) -> Found:
    parts = ("Ours sums adders, registers and multiplexers at the technology's prices, the best group of each; the "
             "paper synthesised whole cores and varied more than the group.")
    full = parts + " The multiplier of a price list is a full one; that of a weight of three values need not be."
    why = {("sign-flip", "lookup"): parts, ("multiplier", "lookup"): full, ("multiplier", "sign-flip"): full}
    rows = _builds()
    for (over, under), text in why.items():
        rows.append(Row(f"area of {over} over {under}, FP16, {SIDE} x {SIDE}", "", _ratios(technologies, "FP16", over,
                                                                                           under), text,
                        Paper(round(AREAS[over] / AREAS[under], 2), PLACE + "core areas 0.120, 0.197, 0.268 mm2",
                              "unverified")))
    rows.append(Row(f"area of sign-flip over lookup, INT8, {SIDE} x {SIDE}", "",
                    _ratios(technologies, "INT8", "sign-flip", "lookup"),
                    "An INT8 addition costs hardly more than choosing its operand, so larger tables save little or "
                    "nothing: the sign of the paper's finding.", Paper(1.0, PLACE + "for INT8 mu > 1 gives little",
                                                                      "unverified", high=1.2)))
    cells = [[number, technology.name, *(f"{area / 1e6:.4f}" for area in _areas(technology, number)[2].values()),
              f"{_areas(technology, number)[0]['multiplier'] / 1e6:.4f}"]
             for number in ("FP16", "INT8") for technology in technologies]
    best: Mapping[str, set[int]] = {number: {_areas(technology, number)[1] for technology in technologies}
                                    for number in ("FP16", "INT8")}
    return Found(rows, [f"The best groups are {_listed(best['FP16'])} weights for FP16 and {_listed(best['INT8'])} for "
                        "INT8 (one weight is the sign flip)."],
                 [Table(f"area in mm2 of {SIDE} x {SIDE} cores by weights of a group", ["numbers", "technology", *(
                     f"mu = {group}" for group in GROUPS), "multiplier"], cells)])


def _listed(values: set[int]) -> str:
    return " or ".join(map(str, sorted(values)))


STUDY = Study("ternary", "ternary weights: tables, sign flips, multipliers",
              "KU Leuven MICAS, ternary-lut-dse, ISPASS 2026, arXiv 2604.25183; X. Li et al., Vec-LUT, MobiSys 2026, "
              "arXiv 2512.06443", _find)
