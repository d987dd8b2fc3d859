"""Networks on designs: cycles, events, and what they cost in a technology."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache, reduce
from itertools import groupby
from typing import Any, TypeVar

from .activity import Toggles
from .area import area_um2
from .attention import MatMul
from .components import AREA_COMPONENTS
from .counting import count
from .energy import Bill, bill
from .events import Events
from .images import codebook_words, table_words
from .latency import CAUSES, OperationLatency, network_latency
from .network import Network, Product
from .operation import Kind, Operation, descriptor_words
from .params import Array, Layer
from .piecewise import FUNCTION_SLOTS
from .program import Program
from .structure import Number, Structure
from .technology import Technology
from .tiling import gathered
from .whole import most, up
from .workloads import Work

__all__ = ["TABLE_BYTES", "Design", "Job", "Priced", "Run", "jobs_of", "measured", "run", "run_programs", "sized",
           "with_functions"]

Machine = TypeVar("Machine", bound=Array)  # one, or many at once
TABLE_BYTES = 1 << 19  # of table memory: a network whose tables need more streams them


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


@dataclass(frozen=True, eq=False)
class Job:
    """One operation on a machine, so many times in one image.

    Parameters
    ----------
    layer : shape of its product, None for a pool or load.
    macs : multiply-accumulates of its dense product, all times together.
    """

    name: str
    array: Array
    operation: Operation
    layer: Layer | None = None
    macs: int = 0
    times: int = 1

    @property
    def lookups(self) -> int:
        """Table entries read, or products formed, each time."""
        return self.layer.lookups if self.layer else 0


@dataclass(frozen=True)
class Run:
    """A network on a design, before any price: cycles and events of so many images, job by job."""

    design: Design
    jobs: tuple[Job, ...]
    images: int
    latencies: tuple[OperationLatency, ...]
    events: tuple[Events, ...]

    @cached_property
    def job_cycles(self) -> tuple[int, ...]:
        """Cycles of each job in one image."""
        return tuple(job.times * item.cycles for job, item in zip(self.jobs, self.latencies, strict=True))

    @cached_property
    def cycles(self) -> int:
        """Cycles of all images, one after the other."""
        return self.images * sum(self.job_cycles)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the dense products of all images."""
        return self.images * sum(job.macs for job in self.jobs)

    @property
    def dram_bits(self) -> int:
        """Bits between the chip and its memory, of all images."""
        return sum(events.dram.total for events in self.events)

    @cached_property
    def causes(self) -> dict[str, int]:
        """What the cycles of one image went into."""
        return {cause: sum(job.times * item.causes[cause] for job, item in zip(self.jobs, self.latencies, strict=True))
                for cause in CAUSES}

    @property
    def binding_busy(self) -> float:
        """Share of the cycles in which the stage that binds its operation has work."""
        return sum(cycles * item.utilisation for cycles, item in zip(self.job_cycles, self.latencies, strict=True)) \
            / sum(self.job_cycles)

    def with_images(self, images: int) -> "Run":
        """The same for so many images."""
        return _run(self.design, self.jobs, self.latencies, images)

    @cached_property
    def sums(self) -> dict[Array, tuple[Events, int]]:
        """Events of all images, and cycles of one, on each machine."""
        found = dict[Array, tuple[Events, int]]()
        for job, events, cycles in zip(self.jobs, self.events, self.job_cycles, strict=True):
            before = found.get(job.array, (Events(), 0))
            found[job.array] = before[0] + events, before[1] + cycles
        return found

    def in_number(self, name: str, number: Number) -> "Run":
        """The same schedule and cycles with wider scalars."""
        return _run(replace(self.design, name=name, number=number), self.jobs, self.latencies, self.images)

    def priced(self, technology: Technology, toggles: Toggles | None = None) -> "Priced":
        """Energy and area in a technology, of data that toggle so."""
        return Priced(self, technology, toggles or {})


@dataclass(frozen=True)
class Priced:
    """A run with energies.

    Parameters
    ----------
    toggles : what its data do, by engine; what is not there is as the technology's prices hold for.
    """

    run: Run
    technology: Technology
    toggles: Toggles = field(default_factory=dict)

    def _bill(self, array: Array, events: Events, cycles: int) -> Bill:
        return bill(events, self.run.images * cycles, Structure(array, self.run.design.number), self.technology,
                    self.toggles.get(array.engine))

    @cached_property
    def bills(self) -> tuple[Bill, ...]:
        """Energy of each job."""
        run = self.run
        return tuple(self._bill(job.array, events, cycles)
                     for job, events, cycles in zip(run.jobs, run.events, run.job_cycles, strict=True))

    @cached_property
    def bill(self) -> Bill:
        """Energy of all jobs: a bill is linear in events and cycles, so theirs can be summed first."""
        return Bill.total_of(self._bill(array, *work) for array, work in self.run.sums.items())

    @cached_property
    def areas(self) -> dict[str, float]:
        """Area in square micrometres by component."""
        machines = [area_um2(structure, self.technology) for structure in self.run.design.structures]
        return {name: sum(machine[name] for machine in machines) for name in AREA_COMPONENTS}

    @cached_property
    def area(self) -> float:
        """Area in square micrometres."""
        return sum(self.areas.values())

    @property
    def milliseconds(self) -> float:
        """Time of all images at the technology's clock."""
        return self.run.cycles * self.technology.price("clock_period") * 1e-6

    @property
    def pj_per_mac(self) -> float:
        """Energy per multiply-accumulate of the dense products."""
        return self.bill.picojoules / self.run.macs


@lru_cache(maxsize=1 << 12)
def _count(operation: Operation, array: Array, layer: Layer | None, number: Number, images: int) -> Events:
    return count(operation, array, layer, number=number, images=images)


def _events(job: Job, number: Number, images: int) -> Events:
    """Events of all times; equal jobs of other names are counted once."""
    layer = job.layer and replace(job.layer, name="")
    return job.times * _count(replace(job.operation, name=""), job.array, layer, number, images)


def _run(design: Design, jobs: tuple[Job, ...], latencies: tuple[OperationLatency, ...], images: int) -> Run:
    return Run(design, jobs, images, latencies, tuple(_events(job, design.number, images) for job in jobs))


def jobs_of(network: Network, program: Program, source: str = "input") -> tuple[Job, ...]:
    """The operations of a program with the shapes of their products; the LOAD has the name of the value it takes."""
    nodes = {node.name: node for node in network.nodes}
    found = []
    for operation in program.operations:
        node, array, layer, macs = nodes.get(operation.name), program.array, None, 0
        if isinstance(node, MatMul) and operation.kind is Kind.PRODUCT:
            rows, reduction, columns = node.sizes(*(network.shapes[name] for name in node.inputs))
            layer = Layer.dense(name=node.name, rows=rows, reduction=reduction, columns=columns)
            macs = layer.macs
        elif operation.kind is Kind.PRODUCT:
            assert isinstance(node, Product)
            columns = (operation.column_tiles - 1) * array.columns + operation.last_columns
            groups = columns // node.table.shape[2]
            each = node.layer(operation.rows)
            layer = replace(each, codebooks=groups * each.codebooks, columns=columns,
                            reduction=groups * each.reduction)
            macs = groups * each.macs
        found.append(Job(source if operation.kind is Kind.LOAD else operation.name, array, operation, layer, macs))
    return tuple(found)


def _equal(latencies: Sequence[OperationLatency]) -> Iterator[tuple[int, OperationLatency]]:
    """Runs of one operation that spend their cycles alike: how many, and one of them."""
    for _, some in groupby(sorted(latencies, key=lambda item: item.cycles), key=lambda item: (item.causes, item.busy)):
        first, *others = some
        yield 1 + len(others), first


def run_programs(design: Design, network: Network, programs: Iterable[tuple[str, Program]], *, images: int = 1,
                 **periods: int) -> Run:
    """Cycles and events of the compiled parts of a network, one after the other.

    ``programs``: the value that each part takes, and its program; ``periods`` are those of the input streams. A part
    with attention runs once for each head: its equal runs are one job, so many times.
    """
    jobs, latencies, nodes = list[Job](), list[OperationLatency](), {node.name: node for node in network.nodes}
    for source, program in programs:
        runs = max((node.heads for name in program.nodes if isinstance(node := nodes.get(name), MatMul)), default=1)
        found = network_latency(program.operations, program.array, runs=runs, **periods).operations
        for number, job in enumerate(jobs_of(network, program, source)):
            for times, item in _equal(found[number::len(program.operations)]):
                jobs.append(replace(job, times=times, macs=times * job.macs))
                latencies.append(item)
    return _run(design, tuple(jobs), tuple(latencies), images)


def sized(array: Array, works: Iterable[Work], *, activation_words: int = 0,
          streamed: bool | None = None) -> tuple[Array, bool]:
    """The array with memories just large enough for the works, and whether it streams their tables.

    ``streamed`` None: where they need more than ``TABLE_BYTES``. An array without function slots gets one for each
    function of the works, as far as there are so many.
    """
    works = tuple(works)
    array = with_functions(array, works)
    sizes, tables = measured(array, [(work, work.operation(array, block=1)) for work in works], activation_words)
    if streamed is None:
        streamed = tables * array.beat_bytes > TABLE_BYTES
    return replace(array, **sizes, table_words=1 if streamed else max(1, tables)), streamed


def with_functions(array: Machine, works: Iterable[Work]) -> Machine:
    """The array with a slot for each function of the works, as far as there are so many; one that has some as it is."""
    return replace(array, functions=array.functions or min(FUNCTION_SLOTS, sum(work.functions for work in works)))


def measured(array: Array, steps: Sequence[tuple[Work, Operation]],
             activation_words: Any = 0) -> tuple[dict[str, Any], Any]:
    """Sizes of memories just large enough for works and their operations; table beats of all works.

    Whole numbers, or arrays where array and operations have such.
    """
    products = [(work.times * work.groups, operation) for work, operation in steps
                if operation.kind is Kind.PRODUCT]
    tables = sum(work.times * work.groups * table_words(operation, array) for work, operation in steps
                 if work.has_tables and not work.fresh)
    words = reduce(most, (up(work.values, array.word) for work, _ in steps))
    return {"codebooks": reduce(most, (operation.slots for _, operation in products)) * array.encoders,
            "activation_words": words if isinstance(activation_words, int) and not activation_words
            else activation_words,
            "codebook_words": most(1, sum(times * codebook_words(operation, array) for times, operation in products)),
            "program_words": sum(work.times * work.groups for work, _ in steps) * descriptor_words(array)}, tables


def _jobs(array: Array, streamed: bool, works: Iterable[Work]) -> tuple[Job, ...]:
    def operation(work: Work) -> Operation:
        stream = work.has_tables and (streamed or work.fresh)
        return gathered(work.operation(array, stream_tables=stream), array)

    return tuple(Job(work.name, array, operation(work), work.layer, work.macs, work.times * work.groups)
                 for work in works)


def run(design: Design, works: Iterable[Work], *, images: int = 1, streamed: bool = False, **periods: int) -> Run:
    """Cycles and events of works on a design, a dense layer on its companion; a MAC design runs their twins.

    ``streamed``: tables come from the stream for every image; ``periods`` are those of the input streams.
    """
    works = tuple(works if design.array.is_lookup else (
        work if work.layer and work.layer.engine == design.array.engine else work.as_dense() for work in works))
    jobs = tuple(job for work in works for job in _jobs(
        design.companion if design.companion and work.layer and work.layer.is_dense else design.array, streamed,
        [work]))
    latencies = tuple(item for array, some in groupby(jobs, key=lambda job: job.array)
                      for item in network_latency([job.operation for job in some], array, **periods).operations)
    return _run(design, jobs, latencies, images)
