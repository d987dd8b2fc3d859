"""A bare array: the cells of a machine, their table load and an accumulator memory, without all that is around them."""

from __future__ import annotations

from dataclasses import dataclass

from .params import Array
from .schedule import Pipeline
from .ternary import zero_code
from .whole import log2

__all__ = ["FIRST", "LAST", "LEARN", "LOAD", "Bare", "command"]

FIRST, LAST, LOAD, LEARN = (1 << bit for bit in range(24, 28))  # of a command word, see `command`
TURN = 2  # cycles from the last table beat to the first activation row, or code word


def command(rows: int, entries: int, flags: int) -> int:
    """A word of the command stream: one *pass* of ``rows`` activation rows over one tile of tables.

    ``entries`` are those of a table (or the planes, the levels); in a vector array ``rows`` are outputs, ``entries``
    tokens. ``FIRST``: sums start anew, else they are added to those of the pass before. ``LAST``: they go out
    afterwards, a beat for each row. ``LOAD``: the tile comes first. ``LEARN``: before it the codebooks or levels come.
    """
    return rows - 1 | entries - 1 << 16 | flags


@dataclass(frozen=True, kw_only=True)
class Bare(Array):
    """The array of a machine with the same fields, fed by its host with symbols, or with sub-vectors.

    Memories that it lacks, and their fields, have no meaning. ``block_rows`` are the rows (of a vector array:
    outputs) that have accumulators, ``codebooks`` the array rows that are added up in one of them.

    Parameters
    ----------
    encoded : whether the ``encoders`` are there, one for each array row, of the engine ``lookup``.
    multipliers : cells of a MAC array that take a multiplier of the part; the others are logic. -1: the cells of the
        machine, whose partial products go through one carry-save tree.
    block_tables : whether the tables of the engine ``lookup`` lie in block RAM, for parts without distributed RAM.
    """

    encoded: bool = False
    multipliers: int = -1
    block_tables: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rows < 2:
            raise ValueError(f"rows of a bare array must be at least 2, not {self.rows}")
        if self.encoded and (self.engine != "lookup" or self.encoders != self.rows):
            raise ValueError(f"a bare array with encoders must be of the engine lookup with one for each row, "
                             f"not of {self.engine} with {self.encoders}")
        if self.multipliers >= 0 and (self.engine != "mac" or self.multipliers > self.cells):
            raise ValueError(f"multipliers must be at most the {self.cells} cells of a MAC array, "
                             f"not {self.multipliers} of a {self.engine} array")
        if self.block_tables and self.engine != "lookup":
            raise ValueError(f"a bare array of the engine {self.engine} must not have tables in block RAM: "
                             "only lookup's may")
        if self.block_rows > 1 << 15:
            raise ValueError(f"block_rows of a bare array must be at most {1 << 15}, not {self.block_rows}")

    @property
    def activation_bytes(self) -> int:
        """Bytes of an activation beat: what all rows are told; with encoders, a sub-vector of each."""
        if self.encoded:
            return self.rows * self.length
        return max(-(-self.rows * self.cell.symbol_bits(self) // 8), self.weight_levels)

    @property
    def sum_bytes(self) -> int:
        """Bytes of an accumulator on the output stream."""
        return -(-self.cell.accumulator_bits(self) // 8)

    @property
    def output_bytes(self) -> int:
        """Bytes of an output beat: the sums of all columns."""
        return self.columns * self.sum_bytes

    @property
    def latency(self) -> int:
        """Cycles from the one in which an activation row's last plane is taken to the first with its sum kept."""
        return 4 + self.tree + (self.cell.encode_stages(self) if self.encoded else 0)

    @property
    def tree(self) -> int:
        """Registers between the cells' first and the accumulators' first."""
        return 1 + -(-log2(self.rows) // 2) if self.multipliers >= 0 else Pipeline(self).tree

    def load_cycles(self, entries: int) -> int:
        """Of a tile, where its stream never waits."""
        groups = self.rows // self.fill
        if self.cell.vector:
            return entries + zero_code(self.length)  # a beat for each token, then an addition for each entry
        return groups * self.cell.group_beats(entries) * self.cell.expansion(entries)

    def pass_cycles(self, rows: int, entries: int, flags: int) -> int:
        """From the cycle that takes a command to the one that can take the next, where no stream waits."""
        learn = (self.cell.slot_words(self, entries) if self.encoded else entries) if flags & LEARN else 0
        load = self.load_cycles(entries) if flags & LOAD else 0
        issue = rows * (1 if self.cell.vector else self.cell.issue_cycles(entries))
        return learn + load + TURN + issue + self.latency + (rows + 2 if flags & LAST else 0)
