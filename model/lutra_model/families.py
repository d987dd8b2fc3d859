"""Machines that a comparison chooses from: memories and, for multiplying schemes, array sizes."""

from collections.abc import Sequence
from dataclasses import dataclass

from .compare import FAMILY_COLUMNS, FAMILY_ROWS
from .probe import Probe, machine
from .runs import Design, Priced, Run, run, sized
from .workloads import Work

__all__ = ["MEMORIES", "Chosen", "chosen", "fastest", "members"]

MEMORIES = ((1024, 256), (4096, 1024), (16384, 4096))  # words of an index half, rows of the accumulators


def members(name: str, works: Sequence[Work], probes: Sequence[Probe], sizes: Sequence[tuple[int, int, int]], *,
            images: int = 1) -> list[Run]:
    """The works on machines of so many rows, columns and encoders, with every memory; without those too small."""
    found = []
    for rows, columns, encoders in sizes:
        for index_words, block_rows in MEMORIES:
            try:
                array, streamed = sized(machine(probes, rows, columns, encoders, index_words=index_words,
                                                block_rows=block_rows), works)
                found.append(run(Design(name, array), works, images=images, streamed=streamed))
            except ValueError:  # an index half is too small for a row
                continue
    return found


def family() -> list[tuple[int, int, int]]:
    """Rows, columns and encoders of the multiplying arrays."""
    return [(rows, columns, rows) for rows in FAMILY_ROWS for columns in FAMILY_COLUMNS]


@dataclass(frozen=True)
class Chosen:
    """The baselines of one lookup machine.

    Parameters
    ----------
    energy : of the smallest arrays that are at least as fast, the one of least energy; if none is, of all arrays.
    as_fast : whether it is at least as fast.
    cycles : of the arrays whose machine is not larger, the fastest; None if all are larger.
    """

    energy: Priced
    as_fast: bool
    cycles: Priced | None


def fastest(candidates: Sequence[Priced], area: float) -> Priced | None:
    """Of the machines that are not larger, the one of fewest cycles, then of least energy."""
    return min((item for item in candidates if item.area <= area), default=None,
               key=lambda item: (item.run.cycles, item.bill.picojoules))


def chosen(lookup: Priced, candidates: Sequence[Priced]) -> Chosen:
    """The baselines of equal throughput and of equal area."""
    fast = [item for item in candidates if item.run.cycles <= lookup.run.cycles]
    least = min(fast or candidates, key=lambda item: (item.run.design.array.cells if fast else 0,
                                                      item.bill.picojoules))
    return Chosen(least, bool(fast), fastest(candidates, lookup.area))
