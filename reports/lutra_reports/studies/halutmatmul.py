"""halutmatmul: areas of its blocks in NanGate45 beside blocks of the same contents, synthesised by us."""

from collections.abc import Callable, Sequence
from typing import Any

from amaranth.lib import wiring

from lutra_hw.tree_encoder import TreeEncoder
from lutra_model.params import Array, Metric
from lutra_model.technology import Technology

from .base import Found, Paper, Row, Study, Table
from .bench import Bench, facts
from .measured import Measured, recorded
from .product_cells import Product, ProductRow

__all__ = ["BLOCKS", "STUDY"]

REPORTS = "joennlae/halutmatmul-openroad-reports, NanGate45, "
LIBRARY = "nangate45"
PLACED = REPORTS + "@ 856c4f3, placed: "
SYNTHESISED = REPORTS + "@ 08068b3, synth_stat.txt of halut_decoder: 16 x 2,660.8 + 640.5 + 209.1 um2"
CODEBOOKS, ENTRIES = 32, 16  # defaults of halut_pkg.sv; the CI script asks for INT sums and 8 bits
ENCODER, DECODER, TABLE16 = 46_782, 24_667.5, 43_422
WORDS = CODEBOOKS * ENTRIES
THRESHOLD_BITS = WORDS * 16  # of their four encoder units: synth_stat.txt has 8,192 latches of data
TREE = Array(metric=Metric.TREE, rows=1, columns=1, encoders=1, entries=ENTRIES, length=9)


def _decoder(bits: int) -> ProductRow:
    """One column's tables: 512 words and their reader."""
    return ProductRow(Product(form="row", levels=WORDS, bits=bits, share=1))


BLOCKS: dict[str, tuple[Callable[[], wiring.Component], str]] = {
    "table 512 x 16, latches": (lambda: _decoder(16), "latch"),
    "table 512 x 16, flip-flops": (lambda: _decoder(16), "flip-flop"),
    "table 512 x 8, latches": (lambda: _decoder(8), "latch"),
    "tree encoder": (lambda: TreeEncoder(TREE), "flip-flop")}


def _measure(bench: Bench, progress: Callable[[str, int, int], None]) -> list[dict[str, Any]]:
    found = []
    for done, (name, (make, storage)) in enumerate(BLOCKS.items()):
        progress("measuring blocks", done, len(BLOCKS))
        found.append({"block": name, "storage": storage, **facts(bench.netlist(make(), name, storage))})
    progress("measuring blocks", len(BLOCKS), len(BLOCKS))
    return found


def _areas(measured: Sequence[Measured], block: str) -> dict[str, float]:
    found = {item.basis: item.one(block=block) for item in measured if item.library == LIBRARY}
    return {basis: point["area_um2"] for basis, point in found.items() if point}


def _over(values: dict[str, float], amount: float) -> dict[str, float]:
    return {basis: value / amount for basis, value in values.items()}


def _find(technologies: Sequence[Technology], measured: Sequence[Measured]) -> Found:
    encoder = _areas(measured, "tree encoder")
    encoder |= {name: item["area_um2"] for name, item in recorded("encoder", metric="tree", entries=ENTRIES,
                                                                  length=9).items() if name.endswith(LIBRARY)}
    held = 2 * (8 * (ENTRIES - 1) + 4 * 4)  # bits of the two trees of ours
    narrow, wide = (_areas(measured, f"table {WORDS} x {bits}, latches") for bits in (8, 16))
    rows = [
        Row("tables of one column, 32 codebooks of 16 entries, 8 bits, with reader", "um2", narrow,
            "Ours is a netlist before placement, a table with its reader; theirs has a 32-bit accumulator with reset "
            "and its control, too, and what placement adds: buffers and a clock tree.",
            Paper(DECODER, PLACED + "halut_decoder")),
        Row("the same of 16 bits, before placement on both sides", "um2", wide,
            "The same contents; theirs is written as 16 memories with a reader each and one more behind them, which "
            "synthesis keeps apart.", Paper(TABLE16, SYNTHESISED)),
        Row("tree encoder for each bit of thresholds", "um2", _over(encoder, held),
            "Theirs compares FP16 numbers, one level after the other, and keeps the thresholds of eight codebooks in "
            "each of four units, in latches; ours compares INT8, all four levels at once, for one codebook at a time, "
            "and has a second tree in flip-flops that is loaded meanwhile.",
            Paper(round(ENCODER / THRESHOLD_BITS, 3), PLACED + "halut_encoder_4 over 8,192 bits of thresholds"))]
    cells = [[item.basis, point["block"], f"{point['area_um2']:,.0f}", point["cells"], f"{point['delay_ns']:.2f}"]
             for item in measured for point in item.points]
    return Found([row for row in rows if row.ours], [
        "Blocks of the same contents come out within a factor that placement, number format and loading explain; no "
        "power is compared, theirs is the tool's default activity."],
        [Table("our netlists", ["library", "block", "um2", "cells", "ns"], cells)])


STUDY = Study("halutmatmul", "halutmatmul: NanGate45 areas of tables and encoders",
              "J. Schönleber et al., Stella Nera, arXiv 2311.10207; joennlae/halutmatmul @ 4655152", _find, _measure)
