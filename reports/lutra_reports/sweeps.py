"""Sweeps: the same comparison with other encoders, and over a layer's width."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lutra_model.compare import Comparison, Design, Priced, run
from lutra_model.energy import Bill
from lutra_model.params import Array, Layer, Metric
from lutra_model.technology import Technology
from lutra_model.workloads import Work

from .estimate import ratio

__all__ = ["other_encoders", "widths"]

WIDTHS = (8, 16, 32, 64, 128, 256, 512, 1024)


def _on_chip(priced: Priced) -> Bill:
    return priced.bill.on_chip


def other_encoders(works: Sequence[Work], comparisons: Mapping[str, Comparison]) -> list[dict[str, Any]]:
    """The network's shapes with every distance and with as many encoders as rows, on the chip.

    The INT8 baseline stays that of the network's own encoder.
    """
    design = next(iter(comparisons.values())).lookup.run.design
    found = []
    for metric in Metric:
        for encoders in sorted({design.array.encoders, design.array.rows}):
            array = replace(design.array, metric=metric, encoders=encoders)
            other = run(Design("lookup", array, companion=design.companion), works)
            found.append({"metric": str(metric), "encoders": encoders, "cycles": other.cycles, "technologies": {
                name: ratio(_on_chip(comparison.int8), _on_chip(other.priced(comparison.lookup.technology)))
                for name, comparison in comparisons.items()}})
    return found


def widths(array: Array, technologies: Sequence[Technology]) -> list[dict[str, Any]]:
    """Energy of one 3 x 3 layer of 64 channels on 14 x 14 pixels, over its width, on chip, for each distance."""
    base = array.resized(length=9, entries=16, codebooks=max(array.codebooks, 64))
    mac = Array.mac(rows=64, columns=16, codebooks=576, index_words=4096)
    found = []
    for width in WIDTHS:
        work = Work(Layer(name="width", rows=196, codebooks=64, columns=width), 196 * 64)
        products = run(Design("int8", mac), [work])
        for metric in Metric:
            lookup = run(Design("lookup", replace(base, metric=metric)), [work])
            found += [{"columns": width, "metric": str(metric), "technology": technology.name,
                       **ratio(_on_chip(products.priced(technology)), _on_chip(lookup.priced(technology)))}
                      for technology in technologies]
    return found
