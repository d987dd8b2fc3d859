"""Machines that a comparison chooses from: memories and, for multiplying schemes, array sizes."""

from collections.abc import Sequence

from .compare import FAMILY_COLUMNS, FAMILY_ROWS
from .probe import Probe, machine
from .runs import Design, Priced, Run, run, sized
from .workloads import Work

__all__ = ["MEMORIES", "equal_area", "equal_throughput", "family", "members"]

MEMORIES = ((1024, 256), (4096, 1024), (16384, 4096))  # words of an index half, rows of the accumulators


def members(name: str, works: Sequence[Work], probes: Sequence[Probe], sizes: Sequence[tuple[int, int, int]], *,
            images: int = 1, gather: bool = False) -> list[Run]:
    """The works on machines of so many rows, columns and encoders, with every memory; without those too small."""
    found = []
    for rows, columns, encoders in sizes:
        for index_words, block_rows in MEMORIES:
            try:
                array, streamed = sized(machine(probes, rows, columns, encoders, index_words=index_words,
                                                block_rows=block_rows, gather=gather), works)
                found.append(run(Design(name, array), works, images=images, streamed=streamed))
            except ValueError:  # an index half is too small for a row
                continue
    return found


def family() -> list[tuple[int, int, int]]:
    """Rows, columns and encoders of the multiplying arrays."""
    return [(rows, columns, rows) for rows in FAMILY_ROWS for columns in FAMILY_COLUMNS]


def equal_throughput(lookup: Priced, candidates: Sequence[Priced]) -> Priced:
    """Of the smallest arrays that are at least as fast, the one of least energy; if none is, that of all arrays."""
    fast = [item for item in candidates if item.run.cycles <= lookup.run.cycles]
    return min(fast or candidates, key=lambda item: (item.run.design.array.cells if fast else 0,
                                                     item.bill.picojoules))


def equal_area(lookup: Priced, candidates: Sequence[Priced]) -> Priced | None:
    """Of the machines that are not larger, the one of fewest cycles, then of least energy; None if all are larger."""
    return min((item for item in candidates if item.area <= lookup.area), default=None,
               key=lambda item: (item.run.cycles, item.bill.picojoules))
