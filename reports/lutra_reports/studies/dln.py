"""Deep Lookup Network: how much of the energy that is said to be saved remains when everything is charged."""

from collections.abc import Mapping, Sequence

from lutra_model.energy import COMPONENTS, Bill
from lutra_model.technology import Technology, builtin
from lutra_model.workloads import resnet18

from .base import Found, Paper, Row, Study, Table
from .machines import Pair, pair
from .measured import Measured, committed
from .product_answer import SHARE
from .product_stimuli import STIMULI

__all__ = ["STEPS", "STUDY"]

CLAIM = Paper(47, "an automatic summary page; the abstract has no number, the paper's energy table could not be read: "
              "do not quote", "unverified", high=63)
CONSTANTS = "horowitz-45"  # which such papers use
FORMS = {"rows in cells": "dln-row", "columns told to cells": "dln-column"}
DECODED = "decoding and multiplying 8 x 8 bits"
STEPS = {  # what is charged, one after the other; on both sides
    "cells and adder trees": ("cells", "adds"),
    "and quantisers": ("encoder",),
    "and tables: memory, expansion, filling": ("codebooks", "tables", "fill"),
    "and activation and index memory, accumulators": ("activations", "gather", "index", "way",
                                                             "accumulators"),
    "and finishing, control, leakage": ("pool", "finisher", "functions", "add", "program", "control", "leakage"),
    "and memory outside the chip": ("dram",),
}


def _steps(lookup: Bill, rival: Bill) -> dict[str, float]:
    """Percent saved, as more and more is charged."""
    charged, found = list[str](), {}
    for step, components in STEPS.items():
        charged += components
        ours, theirs = (sum(bill.components[name] for name in charged) for bill in (lookup, rival))
        found[step] = 100 * (1 - ours / theirs)
    return found


def _operations() -> list[Row]:
    """Per operation, from the table of constants alone."""
    technology = builtin(CONSTANTS)
    add, multiply = 32 * technology.price("add"), technology.price("multiply")
    fp32 = technology.price("fp32_multiply"), technology.price("fp32_add")
    mux = {entries: (entries - 1) * 8 * technology.price("mux") for entries in (32, 1024)}
    macro = technology.price("sram_read", words=1024) * 8

    def row(what: str, lookup: float, mac: float, why: str) -> Row:
        return Row(f"one operation, {what}", "% saved", {CONSTANTS: 100 * (1 - lookup / mac)}, why, CLAIM)

    return [
        row("read free, against FP32 multiply-add", fp32[1], sum(fp32),
            "Additions of FP32 stay, reads cost nothing: more is not to be had with these constants."),
        row("read free, against INT8 multiply-add", add, multiply + add,
            "A 32-bit addition stays. The span that is claimed lies below this and above nothing: a read may cost "
            f"{(multiply + add) * 0.37 - add:.3f} to {(multiply + add) * 0.53 - add:.3f} pJ."),
        row("read of a row of 32 entries, against INT8", mux[32] + add, multiply + add,
            "A row that the weight has preselected, in flip-flops, read through multiplexers."),
        row("read of the table of 32 x 32, against INT8", mux[1024] + add, multiply + add,
            "Every product reads a table of 1,024 entries in flip-flops: the multiplexers alone cost more than the "
            "product."),
        row("read of a memory of 8 KB, against INT8", macro + add, multiply + add,
            "The smallest memory that the constants have.")]


def _gates() -> list[Row]:
    """One product at gate level, from the points of the study of product tables."""
    rows = []
    rivals = {DECODED: ("decoded", "A level stands for eight bits; this is exact where the table has rank one."),
              "multiplying 5 x 5 bits": ("multiplier", "Even levels need no table: their numbers are multiplied.")}
    for stimulus in STIMULI:
        for rival, (form, why) in rivals.items():
            ours = {}
            for item in committed("product-table"):
                row = item.one(form="row", storage="flip-flop", levels=32, bits=8, share=SHARE)
                other = item.one(form=form, levels=32, share=SHARE)
                if row and other:
                    ours[item.basis] = 100 * (1 - row["energy_pj"][stimulus] / other["energy_pj"][stimulus])
            rows.append(Row(f"one product, row of 32 entries of 8 bits, against {rival}, {stimulus} data", "% saved",
                            ours, why, CLAIM))
    return [row for row in rows if row.ours]


def _machines(technologies: Sequence[Technology]) -> tuple[dict[str, Pair], dict[str, dict[str, dict[str, float]]]]:
    """Each form of the scheme beside its rivals; what it saves by technology and step."""
    pairs = {title: pair(resnet18(), "dln", engine=engine) for title, engine in FORMS.items()}
    return pairs, {name: {technology.name: _saved(found, technology) for technology in technologies}
                   for name, found in pairs.items()}


def _saved(found: Pair, technology: Technology) -> dict[str, float]:
    """Step by step; the machines are those of least energy on the chip, in the last step those of least in all."""
    chip, whole = ([item.bill for item in found.priced(technology, outside=outside)] for outside in (False, True))
    return _steps(chip[0], chip[1]) | dict([list(_steps(whole[0], whole[1]).items())[-1]])


def _whys() -> Mapping[str, str]:
    return dict(zip(STEPS, (
        "What such papers count: the array itself, reads charged as the machine does them, with real widths.",
        "Scalars become levels: two comparisons each; cheap, and shared by all columns.",
        "A level's row for every cell or every row of cells has to be made and kept: it is wider than a weight.",
        "Codes have six bits where activations have eight, and table entries eight where products have sixteen: "
        "index and accumulator memory are narrower.",
        "Alike on both sides, but a machine that expands codes into rows takes longer, and leaks longer.",
        "Where every weight comes from outside for one image, a code of six bits instead of eight outweighs the rest."),
        strict=True))


def _find(technologies: Sequence[Technology], measured: Sequence[Measured]) -> Found:
    assert {name for step in STEPS.values() for name in step} == set(COMPONENTS)
    pairs, saved = _machines(technologies)
    gates = _gates()
    rows, whys = [*_operations(), *gates], _whys()
    decoded = [value for row in gates if DECODED in row.quantity for value in row.ours.values()]
    for form, found in saved.items():
        rows += [Row(f"ResNet-18, {form}: {step}", "% saved", {name: item[step] for name, item in
                                                                         found.items()}, whys[step], CLAIM)
                 for step in STEPS]
    final = [item[list(STEPS)[-2]] for found in saved.values() for item in found.values()]
    cells = [[form, technology.name, f"{lookup.run.cycles:,}", f"{rival.run.cycles:,}", f"{lookup.area / 1e6:.3f}",
              f"{rival.area / 1e6:.3f}"] for form, item in pairs.items() for technology in technologies
             for lookup, rival in [item.priced(technology)]]
    return Found(rows, [
        "The claim is within reach only while a read is nearly free: additions alone would save 67 % (INT8) or 80 % "
        "(FP32) with the constants that such papers use.",
        *([f"In gates a product read from a preselected row saves {min(decoded):.0f} to {max(decoded):.0f} % of "
           f"{DECODED}; of multiplying the levels' numbers it saves nothing."] if decoded else []),
        f"With everything on the chip charged, the table needs {1 - max(final) / 100:.2f} to "
        f"{1 - min(final) / 100:.2f} times the energy of INT8 multiplication, in all forms and technologies."],
        [Table("16x16 cells beside INT8 multiplication", ["form", "technology", "cycles", "INT8", "mm2", "INT8"],
               cells)])


STUDY = Study("dln", "Deep Lookup Network: the energy claim, with everything charged",
              "Y. Guo et al., Deep Lookup Network, IEEE TPAMI, DOI 10.1109/TPAMI.2025.3605660, arXiv 2509.13662", _find)
