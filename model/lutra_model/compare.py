"""Lookup against multiplication: the same layers on a lookup array and on the best MAC arrays of a family."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .activity import Toggles
from .params import Array
from .runs import Design, Priced, Run, run, sized
from .structure import Number
from .technology import Technology
from .workloads import Work

__all__ = ["Baselines", "Comparison", "compare", "family", "lookup_runs", "memories"]

FAMILY_ROWS = (16, 32, 64, 128, 256)
FAMILY_COLUMNS = (8, 16, 32, 64)
FAMILY_INDEX_WORDS = (1024, 4096, 16384)
FAMILY_BLOCK_ROWS = (256, 1024, 4096)
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Baselines:
    """The INT8 MAC arrays that a lookup array is compared with.

    Parameters
    ----------
    throughput : of the smallest arrays that are at least as fast, the one of least energy; None if none is.
    area : of the largest arrays that are not larger than the lookup machine, the one of least energy; or None.
    energy : the array of least energy of the whole family.
    """

    throughput: Priced | None
    area: Priced | None
    energy: Priced


@dataclass(frozen=True)
class Comparison:
    """A lookup design and its baselines in one technology.

    ``fine``: of arrays for weights of as few levels as the lookup design's, by the rule of equal throughput; None where
    that takes 8 bits.
    """

    lookup: Priced
    baselines: Baselines
    fp16: Priced
    fp32: Priced
    fine: Priced | None = None

    @property
    def int8(self) -> Priced:
        """The baseline of the headline: equal throughput, or the least energy where no array is fast enough."""
        return self.baselines.throughput or self.baselines.energy

    @property
    def designs(self) -> dict[str, Priced]:
        """Lookup, INT8, FP16, FP32 and multiplication (or signs) of weights as fine, by name."""
        fine = {self.fine.run.design.name: self.fine} if self.fine else {}
        return {"lookup": self.lookup, "int8": self.int8, **fine, "fp16": self.fp16, "fp32": self.fp32}


def _best(candidates: Iterable[Priced], size: Callable[[int], int]) -> Priced | None:
    return min(candidates, default=None,
               key=lambda item: (size(item.run.design.array.cells), item.bill.picojoules))


def _baselines(lookup: Priced, members: Sequence[Priced]) -> Baselines:
    fast = (item for item in members if item.run.cycles <= lookup.run.cycles)
    small = (item for item in members if item.area <= lookup.area)
    return Baselines(_best(fast, lambda cells: cells), _best(small, lambda cells: -cells),
                     min(members, key=lambda item: item.bill.picojoules))


def _equally_fast(lookup: Priced, members: Sequence[Priced]) -> Priced | None:
    """As the INT8 baseline of the headline is chosen; None of no arrays."""
    if not members:
        return None
    found = _baselines(lookup, members)
    return found.throughput or found.energy


def memories(array: Array) -> tuple[Array, ...]:
    """The same array with every size of index and accumulator memory of the family."""
    return tuple(replace(array, index_words=words, block_rows=rows)
                 for words in FAMILY_INDEX_WORDS for rows in FAMILY_BLOCK_ROWS)


def family(**kind: Any) -> tuple[Array, ...]:
    """The MAC arrays that a baseline is chosen from; their other memories are made to measure.

    ``kind``: fields of `Array` that make them others than INT8 ones.
    """
    arrays = (replace(Array.mac(rows=rows, columns=columns), **kind)
              for rows in FAMILY_ROWS for columns in FAMILY_COLUMNS)
    return tuple(member for array in arrays for member in memories(array))


def _as_fine(levels: int) -> dict[str, dict[str, Any]]:
    """What arrays for weights of so many levels are, by name; none where that takes 8 bits.

    >>> _as_fine(3)
    {'int2': {'weight_bits': 2}, 'sign-flip': {'engine': 'sign-flip'}}
    """
    bits = max(1, (levels - 1).bit_length())
    found: dict[str, dict[str, Any]] = {f"int{bits}": {"weight_bits": bits}} if bits < 8 else {}
    return found | ({"sign-flip": {"engine": "sign-flip"}} if levels <= 3 else {})


def _made_to_measure(name: str, array: Array, works: Sequence[Work], images: int, companion: Array | None = None,
                     activation_bytes: int = 0) -> Run | None:
    """A run on the array with memories that fit the works; None where an index half is too small for a row."""
    mine = [work for work in works if not (companion and work.layer and work.layer.is_dense)]
    try:
        fitting, streamed = sized(array, mine, activation_words=-(-activation_bytes // array.word))
    except ValueError:
        return None
    return run(Design(name, fitting, companion=companion), works, images=images, streamed=streamed)


def _runs(what: str, arrays: Sequence[Array], progress: Progress | None,
          make: Callable[[Array], Run | None]) -> list[Run]:
    runs = []
    for done, array in enumerate(arrays, start=1):
        if found := make(array):
            runs.append(found)
        if progress:
            progress(what, done, len(arrays))
    return runs


def compare(works: Sequence[Work], lookups: Sequence[Run], technologies: Iterable[Technology], *, images: int = 1,
            weight_levels: int = 256, lookup_toggles: Toggles | None = None, mac_toggles: Toggles | None = None,
            progress: Progress | None = None) -> dict[str, Comparison]:
    """Compare runs on lookup machines with the same works' twins on MAC arrays, by the name of the technology.

    Of the lookup runs the one of least energy stands for all. MAC arrays choose the sizes of their index and
    accumulator memories for least energy, have an activation memory of as many bytes as the lookup machine, and the
    same rule decides about tables that stay on the chip. ``weight_levels``: different values that a weight of the
    lookup design can have; where they take few bits, arrays for such weights are baselines, too. What the data do to
    prices is known of lookup machines and of integer MAC arrays. ``progress`` is told what runs, how much of it is
    done, and of how much.
    """
    array = lookups[0].design.array

    def runs(name: str, **kind: Any) -> list[Run]:
        same = [work.as_dense(kind.get("engine", "mac")) for work in works]
        return _runs("MAC arrays" if name == "int8" else f"{name} arrays", family(**kind), progress,
                     lambda member: _made_to_measure(
                         name, replace(member, functions=array.functions), same, images,
                         activation_bytes=array.activation_words * array.word))

    macs, found = runs("int8"), {}
    finest = [run for name, kind in _as_fine(weight_levels).items() for run in runs(name, **kind)]
    for technology in technologies:
        lookup = min((item.priced(technology, lookup_toggles) for item in lookups),
                     key=lambda item: item.bill.picojoules)
        baselines = _baselines(lookup, [item.priced(technology, mac_toggles) for item in macs])
        chosen = (baselines.throughput or baselines.energy).run
        found[technology.name] = Comparison(
            lookup, baselines, chosen.in_number("fp16", Number.FP16).priced(technology),
            chosen.in_number("fp32", Number.FP32).priced(technology),
            _equally_fast(lookup, [item.priced(technology, mac_toggles) for item in finest]))
    return found


def lookup_runs(works: Sequence[Work], array: Array, *, companion: Array | None = None, images: int = 1,
                progress: Progress | None = None) -> list[Run]:
    """The works on a lookup array with every size of index and accumulator memory, the others made to measure."""
    return _runs("lookup arrays", memories(array), progress,
                 lambda member: _made_to_measure("lookup", member, works, images, companion))
