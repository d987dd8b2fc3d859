"""The schedule: how a layer is cut into tiles, in which order they run, and how deep the pipelines are.

The hardware generator takes its stage counts and memory sizes from here, the host its descriptor and beat
order, the latency model its recurrences: one record, so they cannot drift apart.
"""

from dataclasses import dataclass
from functools import cached_property

from .params import Array, Layer

__all__ = ["PARAMETER_BEATS", "Pipeline", "Schedule"]

PARAMETER_BEATS = 7  # bias (4 bytes), multiplier (2), shift (1): one byte for each column in a beat


def _tiles(count: int, size: int) -> int:
    return -(-count // size)


@dataclass(frozen=True)
class Pipeline:
    """Stage counts of one machine, in cycles."""

    array: Array

    @property
    def encode(self) -> int:
        """From sub-vectors at the encoder to their index word written.

        Lookup: sub-vector register, lane distance, sum, then one level of the minimum tree for each doubling of
        the entries. MAC: one register.
        """
        return 3 + (self.array.entries - 1).bit_length() if self.array.is_lookup else 1

    @property
    def tree(self) -> int:
        """Registers between the cells and the accumulator.

        Lookup: one for two levels of adders. MAC: one after the carry-save tree, one after the adder.
        """
        return _tiles((self.array.rows - 1).bit_length(), 2) if self.array.is_lookup else 2

    @property
    def fetch(self) -> int:
        """From a row fed to its sub-vectors at the encoders: lane addresses, memory read, words by lane."""
        return 3

    @property
    def pool(self) -> int:
        """From a pool's row fed to its sum in the finisher's input: ``fetch``, two stages of lanes, accumulator."""
        return self.fetch + 3

    @property
    def finish(self) -> int:
        """Bias, multiply, shift, round and clamp."""
        return 4

    @property
    def add(self) -> int:
        """Residual add: multiply, sum and shift, round and clamp; without a residual the result passes."""
        return 3

    @property
    def sum(self) -> int:
        """From the issue of a row to its sum in the finisher's input: index read, cell, tree, accumulator."""
        return 3 + self.tree

    @property
    def output(self) -> int:
        """From the issue of a row to its word written or its output beat on offer: ``sum``, finisher, add, writer."""
        return self.sum + self.finish + self.add + 1

    @property
    def release(self) -> int:
        """From the issue of a column tile's last row to its parameter bank free for the next beat."""
        return self.sum + self.finish

    @property
    def buffer(self) -> int:
        """Depth of the output buffer that never makes the walker or a pool wait when its reader does not."""
        return max(self.output, self.pool + self.finish + self.add + 1) + 2


@dataclass(frozen=True)
class Schedule:
    """One layer cut for one machine.

    Raises ``ValueError`` when the machine cannot hold the layer.
    """

    layer: Layer
    array: Array

    def __post_init__(self) -> None:
        layer, array = self.layer, self.array
        if layer.is_dense == array.is_lookup:
            kind = "multiplies" if layer.is_dense else "looks up"
            raise ValueError(f"layer {layer.name} {kind}, so the array's engine must not be {array.engine}")
        for what, need, have in [("sub-vector length", layer.length, array.length),
                                 ("entries", layer.entries, array.entries),
                                 ("codebooks", layer.codebooks, array.codebooks),
                                 ("row tiles", self.row_tiles, array.index_words)]:
            if need > have:
                raise ValueError(f"layer {layer.name} needs {what} {need}, the array holds at most {have}")

    @property
    def row_tiles(self) -> int:
        """Tiles along the codebooks."""
        return _tiles(self.layer.codebooks, self.array.rows)

    @property
    def column_tiles(self) -> int:
        """Tiles along the outputs."""
        return _tiles(self.layer.columns, self.array.columns)

    @property
    def block(self) -> int:
        """Activation rows of a full block."""
        return min(self.layer.rows, self.array.block_rows, self.array.index_words // self.row_tiles)

    @property
    def blocks(self) -> int:
        """Blocks along the activation rows."""
        return _tiles(self.layer.rows, self.block)

    @property
    def last_block(self) -> int:
        """Activation rows of the last block."""
        return self.layer.rows - (self.blocks - 1) * self.block

    @property
    def last_rows(self) -> int:
        """Array rows used in the last row tile."""
        return self.layer.codebooks - (self.row_tiles - 1) * self.array.rows

    @property
    def last_columns(self) -> int:
        """Columns used in the last column tile."""
        return self.layer.columns - (self.column_tiles - 1) * self.array.columns

    @cached_property
    def used_rows(self) -> tuple[int, ...]:
        """Array rows used in each row tile."""
        return (self.array.rows,) * (self.row_tiles - 1) + (self.last_rows,)

    @cached_property
    def slots(self) -> tuple[int, ...]:
        """Activation beats of one index word, for each row tile."""
        return tuple(_tiles(rows, self.array.encoders) for rows in self.used_rows)

    @cached_property
    def block_sizes(self) -> tuple[int, ...]:
        """Activation rows of each block."""
        return (self.block,) * (self.blocks - 1) + (self.last_block,)

    def descriptor(self, *, low: int = -128, high: int = 127) -> list[int]:
        """The eight command words of the layer."""
        return [self.blocks - 1, self.block, self.last_block,
                self.row_tiles - 1 | self.last_rows << 16,
                self.column_tiles - 1 | self.last_columns << 16,
                self.layer.entries, low & 255 | (high & 255) << 8, 0]
