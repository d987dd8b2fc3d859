"""What others' tools are told of a multiplying array: its memories, its prices, the products of a workload."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ..params import Array
from ..runs import Design, Run, run
from ..technology import Technology
from ..workloads import Work

__all__ = ["COMMON", "DRAM_BITS", "REFERENCE", "SUM_BITS", "Prices", "counted", "prices_of", "products"]

SUM_BITS = 32     # of a partial sum in others' memories
DRAM_BITS = 128   # between the chip and its memory in a cycle
REFERENCE = Array.mac(rows=32, columns=32, fill=1, index_words=4096, block_rows=512, table_words=2048)


@dataclass(frozen=True, kw_only=True)
class Prices:
    """Energies in picojoules: of one multiply-accumulate; of one bit read or written.

    Parameters
    ----------
    source : where they are from.
    register : the weight's register beside its multiplier.
    """

    source: str
    mac: float
    register: float
    input_read: float
    input_write: float
    weight_read: float
    weight_write: float
    sum_read: float
    sum_write: float
    dram: float


COMMON = Prices(
    source="common table of the comparison: MAC Horowitz 2014, 45 nm; memories CACTI 7 of hwcomponents-cacti 1.0.40, "
           "45 nm; DRAM LPDDR4 of hwcomponents",
    mac=0.3, register=0.0829 / 8, input_read=0.288, input_write=0.345, weight_read=0.202, weight_write=0.259,
    sum_read=0.124, sum_write=0.242, dram=8.0)


def prices_of(technology: Technology, array: Array) -> Prices:
    """The same of a technology, for the memories of an array."""
    def memory(words: int) -> list[float]:
        return [technology.price(entry, words=words) for entry in ("sram_read", "sram_write")]

    (inputs, into), (weights, load), (sums, store) = map(memory, (array.index_words, array.table_words,
                                                                  array.block_rows))
    return Prices(source=technology.title, mac=technology.price("multiply") + SUM_BITS * technology.price("add"),
                  register=technology.price("register"), input_read=inputs, input_write=into, weight_read=weights,
                  weight_write=load, sum_read=sums, sum_write=store, dram=technology.price("dram"))


def products(works: Iterable[Work]) -> tuple[Work, ...]:
    """The steps that others' tools know: products with weights, as dense ones."""
    found = tuple(work.as_dense() for work in works if work.layer and not work.fresh)
    if not found:
        raise ValueError("a workload must have a product with weights for others' tools to run")
    return found


def _traffic(work: Work) -> int:
    """Bits of a product's inputs and outputs, which others' tools take from memory and put back."""
    assert work.layer
    each = work.height * work.width * work.channels + work.layer.rows * work.layer.columns
    return 8 * each * work.groups * work.times


def _microjoules(found: Run, works: Sequence[Work], prices: Prices, place: int) -> dict[str, float]:
    """Energy of one product, by what spends it."""
    events, array = found.events[place], found.design.array
    sums = SUM_BITS / (array.cell.accumulator_bits(array))
    parts = {
        "products": events.multiplies * prices.mac,
        "weight registers": (events.turn_bits + 8 * events.table_writes) * prices.register,
        "weights": events.table_read_bits * prices.weight_read + events.table_write_bits * prices.weight_write,
        "inputs": events.index_read_bits * prices.input_read + events.index_write_bits * prices.input_write,
        "sums": sums * (events.accumulator_read_bits * prices.sum_read
                        + events.accumulator_write_bits * prices.sum_write),
        "dram": (events.dram.tables + _traffic(works[place])) * prices.dram}
    return {name: value * 1e-6 for name, value in parts.items()}


def counted(works: Sequence[Work], array: Array = REFERENCE, prices: Prices = COMMON) -> dict[str, Any]:
    """Lutra's cycles, and its counts at such prices, of products on a multiplying array, in microjoules.

    Weights come from memory once; inputs and outputs of every product cross the chip's boundary, as in the
    others' tools, though Lutra's activation memory would keep them.
    """
    large = replace(array, codebooks=max(work.layer.reduction for work in works if work.layer))
    found = run(Design("int8", large), works)
    layers, sums = dict[str, Any](), dict[str, float]()
    for place, (work, cycles) in enumerate(zip(works, found.job_cycles, strict=True)):
        parts = _microjoules(found, works, prices, place)
        sums = {name: sums.get(name, 0.0) + value for name, value in parts.items()}
        layers[work.name] = {"macs": work.macs, "cycles": cycles, "microjoules": sum(parts.values()), "parts": parts}
    return {"array": {"rows": array.rows, "columns": array.columns, "index_words": array.index_words,
                      "block_rows": array.block_rows, "table_words": array.table_words, "fill": array.fill},
            "prices": asdict(prices), "cycles": found.cycles,
            "microjoules": sum(sums.values()), "parts": sums, "layers": layers}
