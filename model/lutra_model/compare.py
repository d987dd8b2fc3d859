"""Lookup against multiplication: the same layers on a lookup array and on the best MAC arrays of a family."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property

from .area import AREA_COMPONENTS, area_um2
from .energy import Bill, bill
from .events import Events, count
from .latency import Latency, latency
from .params import Array, Layer
from .schedule import Schedule
from .structure import Number, Structure
from .technology import Technology
from .workloads import Work

__all__ = ["Baselines", "Comparison", "Design", "Priced", "Run", "compare", "family", "memories", "run"]

FAMILY_ROWS = (16, 32, 64, 128)
FAMILY_COLUMNS = (8, 16, 32, 64)
FAMILY_INDEX_WORDS = (1024, 4096, 16384)
FAMILY_BLOCK_ROWS = (256, 1024, 4096)


@dataclass(frozen=True)
class Design:
    """A machine and the numbers that it computes with.

    Parameters
    ----------
    companion : the MAC array that stands beside a lookup array for the layers that stay dense, or None.
    """

    name: str
    array: Array
    number: Number = Number.INT8
    companion: Array | None = None

    @property
    def structures(self) -> tuple[Structure, ...]:
        """The machines that the design is made of."""
        arrays = (self.array, self.companion) if self.companion else (self.array,)
        return tuple(Structure(array, self.number) for array in arrays)

    def structure(self, layer: Layer) -> Structure:
        """The machine that runs a layer."""
        return self.structures[-1] if layer.is_dense else self.structures[0]


@dataclass(frozen=True)
class Run:
    """Layers on a design, before any price: cycles and events."""

    design: Design
    works: tuple[Work, ...]
    latencies: tuple[Latency, ...]
    events: tuple[Events, ...]

    @cached_property
    def cycles(self) -> int:
        """Cycles of all layers, one after the other."""
        return sum(item.cycles for item in self.latencies)

    def in_number(self, name: str, number: Number) -> "Run":
        """The same schedule and cycles with wider scalars."""
        design = Design(name, self.design.array, number)
        events = _events(design, self.works)
        return Run(design, self.works, self.latencies, events)

    def priced(self, technology: Technology) -> "Priced":
        """Energy and area in a technology."""
        bills = tuple(bill(events, item.cycles, self.design.structure(work.layer), technology)
                      for work, events, item in zip(self.works, self.events, self.latencies, strict=True))
        return Priced(self, technology, bills)


@dataclass(frozen=True)
class Priced:
    """A run with energies: one bill for each layer."""

    run: Run
    technology: Technology
    bills: tuple[Bill, ...]

    @cached_property
    def bill(self) -> Bill:
        """Energy of all layers."""
        return Bill.total_of(self.bills)

    @cached_property
    def areas(self) -> dict[str, float]:
        """Area in square micrometres by component."""
        machines = [area_um2(structure, self.technology) for structure in self.run.design.structures]
        return {name: sum(machine[name] for machine in machines) for name in AREA_COMPONENTS}

    @property
    def area(self) -> float:
        """Area in square micrometres."""
        return sum(self.areas.values())

    @property
    def milliseconds(self) -> float:
        """Time of all layers at the technology's clock."""
        return self.run.cycles * self.technology.price("clock_period") * 1e-6

    @property
    def pj_per_mac(self) -> float:
        """Energy per multiply-accumulate of the dense products."""
        return self.bill.picojoules / sum(work.layer.macs for work in self.run.works)


def _schedule(design: Design, work: Work) -> Schedule:
    return Schedule(work.layer, design.structure(work.layer).array)


def _events(design: Design, works: Iterable[Work]) -> tuple[Events, ...]:
    return tuple(count(_schedule(design, work), inputs=work.inputs, number=design.number) for work in works)


@cache
def _shape_latency(layer: Layer, array: Array) -> Latency:
    return latency(Schedule(layer, array))


def _latency(schedule: Schedule) -> Latency:
    """Cycles of a layer; layers of one shape, cut into the same blocks, are timed once."""
    block, tiles = schedule.block, schedule.row_tiles
    array = schedule.array.resized(block_rows=block, index_words=block * tiles)
    return _shape_latency(replace(schedule.layer, name="layer"), array)


def run(design: Design, works: Iterable[Work]) -> Run:
    """Cycles and events of layers on a design; a MAC design takes their multiplying twins."""
    works = tuple(works if design.array.is_lookup else (work.as_dense() for work in works))
    return Run(design, works, tuple(_latency(_schedule(design, work)) for work in works), _events(design, works))


def family(works: Sequence[Work]) -> tuple[Array, ...]:
    """The MAC arrays that a baseline is chosen from: every size that can hold the layers."""
    reduction = max(work.layer.reduction for work in works)
    arrays = (Array.mac(rows=rows, columns=columns, codebooks=reduction)
              for rows in FAMILY_ROWS for columns in FAMILY_COLUMNS)
    return tuple(member for array in arrays for member in memories(array))


def memories(array: Array) -> tuple[Array, ...]:
    """The same array with every size of index and accumulator memory of the family that holds its layers."""
    tiles = -(-array.codebooks // array.rows)
    return tuple(array.resized(index_words=words, block_rows=rows)
                 for words in FAMILY_INDEX_WORDS for rows in FAMILY_BLOCK_ROWS if tiles <= words)


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
    """A lookup design and its baselines in one technology."""

    lookup: Priced
    baselines: Baselines
    fp16: Priced
    fp32: Priced

    @property
    def int8(self) -> Priced:
        """The baseline of the headline: equal throughput, or the least energy where no array is fast enough."""
        return self.baselines.throughput or self.baselines.energy

    @property
    def designs(self) -> dict[str, Priced]:
        """Lookup, INT8, FP16 and FP32 by name."""
        return {"lookup": self.lookup, "int8": self.int8, "fp16": self.fp16, "fp32": self.fp32}


def _best(candidates: Iterable[Priced], size: Callable[[int], int]) -> Priced | None:
    return min(candidates, default=None,
               key=lambda item: (size(item.run.design.array.cells), item.bill.picojoules))


def _baselines(lookup: Priced, members: Sequence[Priced]) -> Baselines:
    fast = (item for item in members if item.run.cycles <= lookup.run.cycles)
    small = (item for item in members if item.area <= lookup.area)
    return Baselines(_best(fast, lambda cells: cells), _best(small, lambda cells: -cells),
                     min(members, key=lambda item: item.bill.picojoules))


def _runs(what: str, designs: Sequence[Design], works: Sequence[Work],
          progress: Callable[[str, int, int], None] | None) -> list[Run]:
    runs = []
    for done, design in enumerate(designs, start=1):
        runs.append(run(design, works))
        if progress:
            progress(what, done, len(designs))
    return runs


def compare(works: Sequence[Work], array: Array, technologies: Iterable[Technology], *,
            companion: Array | None = None, fit_memories: bool = False,
            progress: Callable[[str, int, int], None] | None = None) -> dict[str, Comparison]:
    """Compare lookup layers on ``array`` with their twins on MAC arrays, by the name of the technology.

    MAC arrays choose the sizes of their memories for least energy; with ``fit_memories`` the lookup array
    does, too. Layers that are dense already run on the ``companion`` of the lookup array. ``progress`` is told
    what runs, how much of it is done, and of how much.
    """
    lookups = _runs("lookup arrays", [Design("lookup", member, companion=companion)
                                      for member in (memories(array) if fit_memories else (array,))], works, progress)
    macs = _runs("MAC arrays", [Design("int8", member) for member in family(works)], works, progress)
    found = {}
    for technology in technologies:
        lookup = min((item.priced(technology) for item in lookups), key=lambda item: item.bill.picojoules)
        baselines = _baselines(lookup, [item.priced(technology) for item in macs])
        chosen = (baselines.throughput or baselines.energy).run
        found[technology.name] = Comparison(
            lookup, baselines, chosen.in_number("fp16", Number.FP16).priced(technology),
            chosen.in_number("fp32", Number.FP32).priced(technology))
    return found
