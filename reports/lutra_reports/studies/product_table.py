"""At what size, width and sharing does a two-dimensional product table beat a multiplier? Measured at gate level."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .base import Study
from .bench import Bench, agree, facts
from .product_answer import LEVELS, MANY, SHARE, find, width
from .product_cells import Product, ProductRow
from .product_stimuli import STIMULI, expected, inputs

__all__ = ["STUDY", "rows"]

STORAGES = ("flip-flop", "latch")
ROUNDS, SEEDS = 3, 2
WIDTHS = {16: (4, 8, 16), 32: (8, 10)}  # of entries; elsewhere those of the multiplier's product
WHOLE = 32  # levels of the largest table that is measured as a whole


def rows() -> list[tuple[Product, str]]:
    """Rows that are measured, and what their tables are made of."""
    found = [(Product(form="multiplier", levels=count, share=SHARE), "flip-flop") for count in (*LEVELS, 256)]
    found += [(Product(form="decoded", levels=count, share=SHARE), "flip-flop") for count in LEVELS]
    for count in LEVELS:
        for bits in WIDTHS.get(count, (width(count),)):
            found.append((Product(form="burnt-in", levels=count, bits=bits, share=SHARE), "flip-flop"))
            if bits == width(count) and count <= WHOLE:
                found += [(Product(form="told", levels=count, bits=bits, share=share), "flip-flop")
                          for share in (SHARE, MANY)]
            for storage in STORAGES:
                found.append((Product(form="row", levels=count, bits=bits, share=SHARE), storage))
                found += [(Product(form="column", levels=count, bits=bits, share=share), storage)
                          for share in (SHARE, MANY) if count <= WHOLE]
    return sorted(found, key=lambda item: item[0].levels % 256)


def _energies(bench: Bench, netlist: Any, product: Product) -> dict[str, Any]:
    """Picojoules of a product and of a weight's loading, of each stimulus.

    A product is what activations add to the same loading without any between. The energy of filling a table that all
    weights share is in the loading.
    """
    found: dict[str, Any] = {"energy_pj": {}, "load_pj": {}}
    for stimulus in STIMULI:
        steps, loads, seen = 0.0, 0.0, 0
        for seed in range(SEEDS):
            ports, used, weights = inputs(product, stimulus, ROUNDS, seed, active=True)
            run = bench.run(netlist, ports)
            outputs = np.stack([run.outputs[f"o_{n}"][used + product.latency] for n in range(product.share)], axis=1)
            agree(outputs, expected(product, ports, used, weights), product.width, str(product))
            quiet, _, _ = inputs(product, stimulus, ROUNDS, seed, active=False)
            load = bench.run(netlist, quiet).energy
            steps, loads, seen = steps + run.energy.total - load.total, loads + load.total, seen + weights.size
        found["energy_pj"][stimulus] = round(steps / seen, 6)
        found["load_pj"][stimulus] = round(loads / (SEEDS * ROUNDS * product.share), 6)
    return found


def _measure(bench: Bench, progress: Callable[[str, int, int], None]) -> list[dict[str, Any]]:
    chosen, found = rows(), []
    for done, (product, storage) in enumerate(chosen):
        progress("measuring rows of product cells", done, len(chosen))
        netlist = bench.netlist(ProductRow(product), f"product-{product.form}", storage)
        found.append({"form": product.form, "storage": storage, "levels": product.levels, "bits": product.width,
                      "share": product.share, **facts(netlist), **_energies(bench, netlist, product)})
    progress("measuring rows of product cells", len(chosen), len(chosen))
    return found


STUDY = Study("product-table", "when a two-dimensional table of products beats a multiplier",
              "nobody has published it; the question is that of Y. Guo et al., Deep Lookup Network, arXiv 2509.13662",
              find, _measure)
