"""Sweeps: the same comparison with other encoders, and over a layer's width."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lutra_model.compare import Comparison
from lutra_model.energy import Bill
from lutra_model.network import Window
from lutra_model.params import Array, Layer, Metric
from lutra_model.runs import Design, Priced, Run, run, sized
from lutra_model.technology import Technology
from lutra_model.workloads import Work

from .estimate import ratio

__all__ = ["other_encoders", "widths"]

WIDTHS = (8, 16, 32, 64, 128, 256, 512, 1024)


def _on_chip(priced: Priced) -> Bill:
    return priced.bill.on_chip


def _fitting(array: Array, works: Sequence[Work], companion: Array | None = None) -> Run:
    """The works on a lookup array with memories made to measure."""
    mine = [work for work in works if not (companion and work.layer and work.layer.is_dense)]
    fitting, streamed = sized(array, mine)
    return run(Design("lookup", fitting, companion=companion), works, streamed=streamed)


def other_encoders(works: Sequence[Work], comparisons: Mapping[str, Comparison]) -> list[dict[str, Any]]:
    """The network's shapes with every distance, and with a quarter as many encoders as rows, on the chip.

    The INT8 baseline stays that of the network's own encoder.
    """
    own = next(iter(comparisons.values())).lookup.run
    design = own.design
    found = []
    for metric in Metric:
        for encoders in sorted({-(-design.array.rows // 4), design.array.encoders, design.array.rows}):
            if design.array.rows % encoders:
                continue
            same = (metric, encoders) == (design.array.metric, design.array.encoders)
            other = own if same else _fitting(replace(design.array.resized(encoders=encoders), metric=metric), works,
                                              design.companion)
            found.append({"metric": str(metric), "encoders": encoders, "cycles": other.cycles, "technologies": {
                name: ratio(_on_chip(comparison.int8), _on_chip(replace(comparison.lookup, run=other)))
                for name, comparison in comparisons.items()}})
    return found


def widths(array: Array, technologies: Sequence[Technology]) -> list[dict[str, Any]]:
    """Energy of one 3 x 3 layer of 64 channels on 14 x 14 pixels, over its width, on chip, for each distance."""
    base = array.resized(length=9, entries=16)
    window = Window(kernel=(3, 3), padding=(1, 1, 1, 1))
    found = []
    for width in WIDTHS:
        work = Work(name="width", height=14, width=14, channels=64, window=window,
                    layer=Layer(name="width", rows=196, codebooks=64, columns=width))
        mac, streamed = sized(Array.mac(rows=64, columns=16, index_words=4096), [work.as_dense()])
        products = run(Design("int8", mac), [work], streamed=streamed)
        for metric in Metric:
            lookup = _fitting(replace(base, metric=metric), [work])
            found += [{"columns": width, "metric": str(metric), "technology": technology.name,
                       **ratio(_on_chip(products.priced(technology)), _on_chip(lookup.priced(technology)))}
                      for technology in technologies]
    return found
