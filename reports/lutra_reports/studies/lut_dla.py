"""LUT-DLA: headline ratios of power and area efficiency."""

from collections.abc import Sequence

from lutra_model.schemes import Options, scheme_of
from lutra_model.structure import Number
from lutra_model.technology import Technology
from lutra_model.workloads import bert_base, resnet18

from .base import Found, Paper, Row, Study
from .machines import Pair, pair
from .measured import Measured

__all__ = ["STUDY"]

WORKLOADS = {"ResNet-18": resnet18, "BERT-base": bert_base}
POWER = Paper(1.4, "abstract: power efficiency 1.4 to 7.0 times that of other accelerators", high=7.0)
AREA = Paper(1.5, "abstract: area efficiency 1.5 to 146.1 times that of other accelerators", high=146.1)
ENERGY = Paper(1.0, "an overview page: energy, up to 17.9 times less", "unverified", high=17.9)
WHY = ("Theirs are rows of other accelerators' publications, scaled to one node, in operations of the dense network; "
       "ours is the INT8 array that does the same layers as fast, in the same technology, with the same memories, "
       "finishers and control, on the chip.")


def _efficiency(found: Pair, technology: Technology) -> tuple[float, float]:
    """INT8's energy over lookup's; lookup's throughput for its area over INT8's."""
    lookup, rival = found.priced(technology)
    energy = rival.bill.on_chip.picojoules / lookup.bill.on_chip.picojoules
    return energy, rival.area * rival.run.cycles / (lookup.area * lookup.run.cycles)


def _against_float(found: Pair, technology: Technology) -> float:
    lookup, rival = found.priced(technology)
    dense = rival.run.in_number("fp32", Number.FP32).priced(technology)
    return dense.bill.on_chip.picojoules / lookup.bill.on_chip.picojoules


def _find(technologies: Sequence[Technology], measured: Sequence[Measured]) -> Found:
    rows, spans = list[Row](), list[float]()
    for workload, works in WORKLOADS.items():
        for variant, options in scheme_of("lut-dla").variants(Options()).items():
            found = pair(works(), "lut-dla", options)
            both = {technology.name: _efficiency(found, technology) for technology in technologies}
            spans += [energy for energy, _ in both.values()]
            rows += [Row(f"{workload}, {variant}: energy of INT8 over lookup", "",
                         {name: energy for name, (energy, _) in both.items()}, WHY, POWER),
                     Row(f"{workload}, {variant}: throughput for area over that of INT8", "",
                         {name: area for name, (_, area) in both.items()}, WHY + " Memories are most of both areas.",
                         AREA)]
        rows.append(Row(f"{workload}, {variant}: energy of FP32 over lookup", "",
                        {technology.name: _against_float(found, technology) for technology in technologies},
                        "Where the baseline computes in FP32, lookup is compared with something else altogether.",
                        ENERGY))
    return Found(rows, [f"Against the best INT8 array of the same machine lookup needs {min(spans):.2f} to "
                        f"{max(spans):.2f} times less energy on the chip: inside the span of the paper at its lower "
                        "end, from a baseline that is as good as it gets.",
                        "Figures for accuracy stand in \"lutra zoo\"."])


STUDY = Study("lut-dla", "LUT-DLA: headline ratios",
              "G. Li et al., LUT-DLA: Lookup Table as Efficient Extreme Low-Bit Deep Learning Accelerator, HPCA 2025, "
              "arXiv 2501.10658", _find)
