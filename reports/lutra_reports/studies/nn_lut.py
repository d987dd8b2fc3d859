"""NN-LUT: a unit of piecewise linear functions beside one of integer polynomials."""

from collections.abc import Mapping, Sequence

from lutra_model.function_events import FUNCTION_BITS, lane_parts
from lutra_model.piecewise import SEGMENTS
from lutra_model.technology import Technology

from .base import Found, Paper, Row, Study
from .measured import Measured, power_mw, recorded

__all__ = ["POLYNOMIAL", "STUDY", "table_bits"]

SYNTHESIS = "a comparison table of TYTAN/GPNAE: commercial 7 nm, one unit: "
RATIO = "notes on the paper, against an I-BERT unit: "
# I-BERT's integer functions in 32 bits (S. Kim et al., ICML 2021): (x + b)^2 + c; the range's reduction by a product
# and a shift; iterations of square root and quotient one after the other: two products, a divider's subtractor.
POLYNOMIAL = {"multiply": 2 * 32 * 32 / 64, "add": 4 * 32.0, "compare": 2 * 32.0, "mux": 3 * 5 * 32.0,
              "register": 8 * 32.0}


def table_bits(entries: int, width: int) -> int:
    """Bits of slopes, intercepts and breakpoints.

    >>> table_bits(16, 16)
    752
    """
    return (2 * entries + entries - 1) * width


def _sum(parts: Mapping[str, float], technology: Technology, what: str) -> float:
    return sum(amount * technology.price(f"{name}{what}") for name, amount in parts.items())


def _each(technologies: Sequence[Technology], what: str, scale: float = 1.0) -> dict[str, float]:
    return {technology.name: scale * _sum(lane_parts(), technology, what) for technology in technologies}


def _ratio(technologies: Sequence[Technology], what: str) -> dict[str, float]:
    return {technology.name: _sum(POLYNOMIAL, technology, what) / _sum(lane_parts(), technology, what)
            for technology in technologies}


def _find(technologies: Sequence[Technology], measured: Sequence[Measured]) -> Found:
    held = {technology.name: (FUNCTION_BITS * technology.price("register_area")
                              + _sum(lane_parts(), technology, "_area")) / 1e6 for technology in technologies}
    energy = _each(technologies, "")
    power = {technology.name: energy[technology.name] / technology.price("clock_period") for technology in technologies}
    units = recorded("function-unit")
    logic = _each(technologies, "_area", 1e-6) | {name: item["area_um2"] / 1e6 for name, item in units.items()}
    power |= {name: power_mw(item) for name, item in units.items()}
    rows = [
        Row("bits of a table of 16 entries of 16 bits", "bit", {"counted": table_bits(SEGMENTS, 16)},
            "Slopes, intercepts and 15 breakpoints.", Paper(752, "arithmetic on the paper's structure"), digits=0),
        Row("bits that Lutra's unit holds", "bit", {"counted": FUNCTION_BITS},
            "Intercepts have 32 bits here, so that every function of 16-bit inputs fits, and there is a shift.",
            Paper(752, "arithmetic on the paper's structure")),
        Row("area of one unit with its table", "mm2", held,
            "Ours at 45 nm, or at 7 nm by a list whose areas are scaled; 16-bit inputs, 32-bit intercepts.",
            Paper(0.001, SYNTHESIS + "0.001 mm2", "unverified")),
        Row("area of one unit without its table", "mm2", logic,
            "The table's registers are shared by all columns of a machine.",
            Paper(0.001, SYNTHESIS + "0.001 mm2", "unverified")),
        Row("power of one unit, a value in every cycle", "mW", power,
            "Ours is busy in every cycle at the technology's clock; theirs has the tool's default activity, at a clock "
            "that is not known.", Paper(0.059, SYNTHESIS + "0.059 mW", "unverified")),
        Row("area of a polynomial unit over ours", "", _ratio(technologies, "_area"),
            "The polynomial unit is ours, of parts: two products of 32 bits and a divider's step; I-BERT's has three "
            "functions of its own.", Paper(2.63, RATIO + "2.63 times the area", "unverified")),
        Row("energy of a polynomial's step over that of a value", "", _ratio(technologies, ""),
            "One step of a polynomial against one value here. The paper's 36.4 can hold only if a value takes the "
            "baseline many steps (a division or a square root does: 16 to 32) or its unit is never gated.",
            Paper(36.4, RATIO + "36.4 times the power", "unverified")),
        Row("energy of a GELU over that of the 768 products it follows", "%",
            {technology.name: 100 * energy[technology.name] / (768 * (technology.price("multiply") + 32
                                                                      * technology.price("add")))
             for technology in technologies},
            "In energy a function costs next to nothing beside the products of its layer. The paper's share is one of "
            "time, on a processor of few multipliers for functions.",
            Paper(17.7, "reading notes: share of non-linear work in I-BERT's time, 17.7 to 37.8 %", "unverified",
                  high=37.8))]
    return Found(rows, ["A table of 16 segments replaces what a polynomial needs by one product; how much that is "
                        "depends on the polynomial's steps, which the ratios of the paper do not tell apart."])


STUDY = Study("nn-lut", "NN-LUT: piecewise linear functions against integer polynomials",
              "J. Yu et al., NN-LUT: Neural Approximation of Non-Linear Operations for Efficient Transformer "
              "Inference, DAC 2022, arXiv 2112.02191", _find)
