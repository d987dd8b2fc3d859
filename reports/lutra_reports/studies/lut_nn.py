"""LUT-NN: how many operations lookup leaves, and what it saves."""

from collections.abc import Sequence

from lutra_model.events import Events
from lutra_model.params import Array, Layer
from lutra_model.technology import Technology
from lutra_model.workloads import bert_base, resnet18

from .base import Found, Paper, Row, Study
from .machines import counted, pair, saved
from .measured import Measured

__all__ = ["CONV", "PIM_DL", "STUDY"]

CONV = Layer(name="conv", rows=3136, codebooks=64, columns=64, length=9, entries=16)  # ResNet-18, first stage
PIM_DL = {2: (3.66, 2.9), 16: (18.29, 14.3)}  # sub-vector length: reduction, percent multiplications
HIDDEN, CENTROIDS = 1024, 16  # of the layers that give PIM-DL's figures
FORMULA = "blink-mm @ 83fd1d8 (cost formulas of kernels and converter), "
PIM = "PIM-DL (ASPLOS 2024), read in a secondary source: "


def _events(layer: Layer) -> Events:
    array = Array(length=layer.length, entries=layer.entries, encoders=16)
    return counted(layer, array)


def _formulas() -> list[Row]:
    n, d, m, k = CONV.rows, CONV.reduction, CONV.columns, CONV.entries
    events = _events(CONV)
    same = "The machine encodes every sub-vector once and keeps its index for all columns, as the formula says."
    table = CONV.codebooks * k * m
    return [
        Row("multiply-accumulates of the encoder, N D K", "of 3136 x 576 x 64", {"counted": events.distance_steps},
            same, Paper(n * d * k, FORMULA + "N D K"), digits=0),
        Row("entries read and added, N M D / V", "of 3136 x 576 x 64", {"counted": events.table_reads},
            same, Paper(n * m * d / CONV.length, FORMULA + "N M D / V"), digits=0),
        Row("bytes of tables, K M D / V", "byte", {"counted": events.dram.tables / 8},
            "Tables of INT8 entries, nothing else is stored.", Paper(k * m * d / CONV.length, FORMULA + "K M D / V"),
            digits=0),
        Row("tables over INT8 weights, K = 16, V = 9", "", {"counted": events.dram.tables / 8 / (d * m)},
            "The same count: tables are larger than the weights they replace, and smaller than FP32 ones only.",
            Paper(1.78, FORMULA + "arithmetic on them"), digits=2),
        Row("tables over FP32 weights, K = 16, V = 9", "", {"counted": table / (4 * d * m)},
            "The same count.", Paper(0.44, FORMULA + "arithmetic on them"), digits=2)]


def _pim_dl() -> list[Row]:
    found = []
    for length, (reduction, multiplies) in PIM_DL.items():
        layer = Layer(name="linear", rows=128, codebooks=HIDDEN // length, columns=HIDDEN, length=length,
                      entries=CENTROIDS)
        events = _events(layer)
        work = 3 * events.distance_steps + events.table_reads  # difference, square, sum; one addition for each read
        found += [
            Row(f"operations of GEMM over those of lookup, V = {length}", "", {"counted": 2 * layer.macs / work},
                f"Their count on layers of {HIDDEN} x {HIDDEN}, 16 centroids: two operations for each "
                "multiply-accumulate, three for each distance lane, one for each entry read.",
                Paper(reduction, PIM + "3.66 to 18.29 times fewer", "unverified"), digits=2),
            Row(f"multiplications among them, V = {length}", "%", {"counted": 100 * events.distance_steps / work},
                "The same count: only squares multiply.", Paper(multiplies, PIM + "2.9 to 14.3 %", "unverified"),
                digits=1)]
    return found


def _headlines(technologies: Sequence[Technology]) -> list[Row]:
    pairs = {"ResNet-18": pair(resnet18(), "lut-nn"), "BERT-base": pair(bert_base(), "lut-nn")}
    runs = {name: item.lookups[0] for name, item in pairs.items()}
    done = {name: 2 * run.macs / sum(run.events, Events()).operations for name, run in runs.items()}
    rows = [Row(f"operations of the dense network over operations done, {name}", "", {"counted": value},
                "Theirs counts a read as nothing and a lookup-accumulate as one addition; ours counts differences, "
                "squares, sums and comparisons of the encoder, reads, additions and finishing, of all layers, "
                "sub-vectors of 9 or 8 scalars (theirs of BERT: 32).",
                Paper(1, "abstract: FLOPs, at most 16 times fewer", high=16)) for name, value in done.items()]
    for name, item in pairs.items():
        rows.append(Row(
            f"energy saved, {name}", "%", saved(item, technologies),
            "Theirs is the power of a telephone's CPU that runs float kernels; ours is an accelerator with INT8 "
            "multiplication at equal throughput beside it, on the chip.",
            Paper(0, "abstract: power, at most 41.7 % less", high=41.7)))
    return rows


def _find(technologies: Sequence[Technology], measured: Sequence[Measured]) -> Found:
    rows = [*_formulas(), *_pim_dl(), *_headlines(technologies)]
    exact = [row for row in rows if row.digits is not None]
    return Found(rows, [
        f"{sum(bool(row.agrees) for row in exact)} of {len(exact)} exact figures come out to the digit.",
        "An operation count is no energy: the encoder's operations are the dear ones, and reads are not free."])


STUDY = Study("lut-nn", "LUT-NN: operation counts and headline savings",
              "X. Tang et al., LUT-NN: Empower Efficient Neural Network Inference with Centroid Learning and Table "
              "Lookup, MobiCom 2023, arXiv 2302.03213", _find)
