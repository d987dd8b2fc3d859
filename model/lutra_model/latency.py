"""Cycles of a layer on a machine: the recurrences of the schedule's credits, exact to the cycle.

Cycle 0 is the one that takes the first descriptor word. Within a tile the beats and rows are evenly spaced, so
each tile has a closed form and a layer costs one step for each tile.
"""

from dataclasses import dataclass

from .params import Array, Layer
from .schedule import PARAMETER_BEATS, Pipeline, Schedule

__all__ = ["Latency", "cycles", "latency"]

DESCRIPTOR_WORDS = 8


@dataclass(frozen=True)
class Latency:
    """Cycles of one layer, and for how many of them each stage has work to do.

    ``cycles`` counts from the first descriptor word taken to the last output beat taken, both included.
    ``encode`` and ``load`` are the activation and table beats times their stream's period; ``lookup`` is the
    rows that the walker issues.
    """

    cycles: int
    encode: int
    lookup: int
    load: int

    @property
    def binding(self) -> str:
        """The stage with the most work: it bounds the layer."""
        return max(("lookup", "encode", "load"), key=lambda stage: getattr(self, stage))


class _Stream:
    """One input stream: beats at least ``period`` apart, none before the descriptor is in."""

    def __init__(self, period: int) -> None:
        self.period = period
        self.next = DESCRIPTOR_WORDS  # earliest cycle that can take the next beat
        self.beats = 0

    def take(self, beats: int, not_before: int = 0) -> int:
        """Cycle that takes the first of so many beats."""
        first = max(self.next, not_before)
        self.next = first + beats * self.period
        self.beats += beats
        return first


class _Machine:
    """The three walkers of the machine, a tile at a time."""

    def __init__(self, schedule: Schedule, activation_period: int, table_period: int) -> None:
        self.schedule = schedule
        self.pipeline = Pipeline(schedule.array)
        self.activations = _Stream(activation_period)
        self.tables = _Stream(table_period)
        self.issued = DESCRIPTOR_WORDS - 1  # cycle of the newest row issued
        self.rows = 0
        self.banks = [0, 0]                 # cycle from which a table bank takes beats
        self.parameters = [0, 0]            # the same for the finisher's parameter banks
        self.halves = [0, 0]                # the same for the halves of the index memory

    def load(self, tile: int, column_tile: int, used_rows: int, last: bool) -> int:
        """Load one table tile; the first cycle in which its rows can be issued."""
        period = self.tables.period
        beats = used_rows * self.schedule.layer.entries
        first = self.tables.take(beats, self.banks[tile % 2])
        end = first + (beats - 1) * period
        if last:
            end = self.tables.take(PARAMETER_BEATS, self.parameters[column_tile % 2]) \
                + (PARAMETER_BEATS - 1) * period
        return end + 1

    def walk(self, ready: int, rows: int, written: tuple[int, int] = (0, 0)) -> None:
        """Issue the rows of one tile; ``written`` is when its first and last index word can be read."""
        start = max(self.issued + 1, ready, written[0])
        self.issued = max(start + rows - 1, written[1])
        self.rows += rows

    def encode(self, block: int, rows: int) -> list[tuple[int, int]]:
        """Feed one block; for each row tile, when its first and last index word can be read."""
        schedule, period = self.schedule, self.activations.period
        first = self.activations.take(rows * sum(schedule.slots), self.halves[block % 2])
        words, beats = [], 0
        for slots in schedule.slots:
            before = first + (beats - 1) * period + self.pipeline.encode + 1
            words.append((before + slots * period, before + rows * slots * period))
            beats += rows * slots
        return words

    def run(self) -> int:
        """Cycle that takes the last output beat."""
        schedule = self.schedule
        if schedule.array.is_lookup:
            self.activations.take(sum(schedule.slots) * schedule.layer.entries)
        tile = column_tile = 0
        for block, rows in enumerate(schedule.block_sizes):
            written = self.encode(block, rows)
            for column in range(schedule.column_tiles):
                for row_tile, used in enumerate(schedule.used_rows):
                    ready = self.load(tile, column_tile, used, row_tile == schedule.row_tiles - 1)
                    self.walk(ready, rows, (0, 0) if column else written[row_tile])
                    self.banks[tile % 2] = self.issued + 1
                    tile += 1
                self.parameters[column_tile % 2] = self.issued + self.pipeline.release
                column_tile += 1
            self.halves[block % 2] = self.issued + 1
        return self.issued + self.pipeline.output


def latency(schedule: Schedule, *, activation_period: int = 1, table_period: int = 1) -> Latency:
    """Cycles of a scheduled layer whose input streams offer a beat every so many cycles; the output never stalls."""
    if min(activation_period, table_period) < 1:
        raise ValueError(f"a stream's period must be at least 1, not {min(activation_period, table_period)}")
    machine = _Machine(schedule, activation_period, table_period)
    last = machine.run()
    return Latency(cycles=last + 1, encode=machine.activations.beats * activation_period, lookup=machine.rows,
                   load=machine.tables.beats * table_period)


def cycles(layer: Layer, array: Array, *, activation_period: int = 1, table_period: int = 1) -> int:
    """Cycles of one layer on one machine."""
    return latency(Schedule(layer, array), activation_period=activation_period, table_period=table_period).cycles
