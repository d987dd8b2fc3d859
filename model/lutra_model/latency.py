"""Cycles of a program, exact to the cycle, and what every operation spends them on (docs/hardware.md, "Timing").

Cycle 0 takes the last word of RUN. Input streams offer a beat every so many cycles, the reader of the results
always takes one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from .operation import Kind, Operation, descriptor_words
from .params import Array
from .passes import STAGES, Clock, Timing, load, pool
from .passes_norm import row
from .passes_product import product
from .passes_vector import vector_product

__all__ = ["CAUSES", "STAGES", "NetworkLatency", "OperationLatency", "network_latency"]

CAUSES = ("lookup", "pool", "encode", "build", "load", "stream", "fill", "drain", "descriptor")


@dataclass(frozen=True, kw_only=True)
class OperationLatency:
    """Cycles of one operation.

    Parameters
    ----------
    start, done : its cycles of these names.
    cycles : from the cycle after the one before is done to its own ``done``, both included.
    causes : what they went into; the values sum to ``cycles``. ``lookup``: rows issued; ``pool``: rows of a pool, or
        of a ROW in all its passes, fed; ``encode``: the walker waits for rows that are still fed; ``build``: for tables
        made of activations; ``load``: for tables (or a norm's parameters) from memory; ``stream``: for those from the
        stream, or all of a LOAD's; ``fill`` and ``drain``: first row under way (and rests between a ROW's passes),
        results under way; ``descriptor``: nothing to do before the operation is read from program memory.
    busy : cycles in which each stage has work: ``lookup`` rows issued, ``encode`` rows fed, ``build`` rows read and
        entries made, ``codebook`` and ``load`` beats from memory, ``stream`` beats times their period, ``pool`` rows
        fed.
    cells : table cells or multipliers of the machine.
    """

    name: str
    kind: Kind
    start: int
    done: int
    causes: dict[str, int]
    busy: dict[str, int]
    cells: int

    @property
    def cycles(self) -> int:
        """See above."""
        return sum(self.causes.values())

    @property
    def binding(self) -> str:
        """The stage with the most work: it bounds the operation."""
        return max(STAGES, key=lambda stage: self.busy[stage])

    @property
    def utilisation(self) -> float:
        """Share of the cycles in which the binding stage has work; what it did ahead of them makes no more than 1."""
        return min(1.0, self.busy[self.binding] / self.cycles)

    def ragged(self, lookups: int) -> int:
        """Rows issued beyond those that so many useful lookups (or products) would fill."""
        return self.busy["lookup"] - -(-lookups // self.cells)

    def cell_utilisation(self, lookups: int) -> float:
        """Share of all cells in all cycles that so many useful lookups (or products) are."""
        return lookups / (self.cells * self.cycles)


@dataclass(frozen=True, kw_only=True)
class NetworkLatency:
    """Cycles of a program: ``operations`` are those of all runs, one after the other."""

    operations: tuple[OperationLatency, ...]

    @property
    def cycles(self) -> int:
        """From the cycle that takes the last word of RUN to the last one's ``done``, both included."""
        return self.operations[-1].done + 1

    @cached_property
    def causes(self) -> dict[str, int]:
        """The same for all operations; the values sum to ``cycles``."""
        return {cause: sum(item.causes[cause] for item in self.operations) for cause in CAUSES}

    @property
    def utilisation(self) -> float:
        """Share of the cycles in which the stage that binds its operation has work."""
        return sum(item.utilisation * item.cycles for item in self.operations) / self.cycles


def _product(operation: Operation, clock: Clock) -> Timing:
    return (vector_product if clock.array.cell.vector else product)(operation, clock)


TIMINGS = {Kind.PRODUCT: _product, Kind.POOL: pool, Kind.LOAD: load, Kind.ROW: row}


def network_latency(operations: Sequence[Operation], array: Array, *, runs: int = 1, activation_period: int = 1,
                    table_period: int = 1, encoder_clock: int = 1) -> NetworkLatency:
    """Cycles of so many runs of a program on a machine; the streams offer a beat every ``period`` cycles.

    ``encoder_clock``: the feeder of products, the encoders and the codebook loader work so many times as fast as the
    rest, whose cycles are counted; the hardware's clock is one.
    """
    for name, value in [("runs", runs), ("activation_period", activation_period), ("table_period", table_period),
                        ("encoder_clock", encoder_clock)]:
        if value < 1:
            raise ValueError(f"{name} must be at least 1, not {value}")
    if not operations:
        raise ValueError("a program must have at least one operation")
    read = descriptor_words(array) + 2
    clock = Clock(array=array, activation_period=activation_period, table_period=table_period, ready=read,
                  encoder=encoder_clock)
    found, done = [], -1
    for operation in [*operations] * runs:
        clock.begin(done)
        timing = TIMINGS[operation.kind](operation, clock)
        causes = dict.fromkeys(CAUSES, 0) | timing.causes | {"descriptor": clock.start - done}
        found.append(OperationLatency(name=operation.name, kind=operation.kind, start=clock.start, done=timing.done,
                                      causes=causes, busy=dict.fromkeys(STAGES, 0) | timing.busy, cells=array.cells))
        done, clock.ready = timing.done, clock.start + read
    return NetworkLatency(operations=tuple(found))
