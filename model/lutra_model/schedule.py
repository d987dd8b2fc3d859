"""How deep the pipelines are.

The hardware generator takes its stage counts from here, the latency model its recurrences: one record, so that they
cannot drift apart.
"""

from dataclasses import dataclass

from .params import Array
from .whole import most

__all__ = ["Pipeline"]


@dataclass(frozen=True)
class Pipeline:
    """Stage counts of one machine, in cycles."""

    array: Array

    @property
    def encode(self) -> int:
        """From sub-vectors at the encoder to their index word written."""
        return self.array.cell.encode_stages(self.array)

    @property
    def tree(self) -> int:
        """Registers between the cells and the accumulator."""
        return self.array.cell.tree_stages(self.array)

    @property
    def fetch(self) -> int:
        """From a row fed to its sub-vectors at the encoders: bounds, lane addresses, banks, memory, words, lanes."""
        return 6

    @property
    def pool(self) -> int:
        """From a pool's row fed to its sum in the finisher's input: ``fetch``, two stages of lanes, accumulator."""
        return self.fetch + 3

    @property
    def row(self) -> int:
        """From a ROW's word fed to its values in the finisher's input: ``fetch``, the row unit."""
        return self.fetch + 12

    @property
    def gap(self) -> int:
        """Cycles in which nothing is fed between two passes of a ROW: a row's factor is made of its totals."""
        return 14

    @property
    def function(self) -> int:
        """Of a piecewise unit: compare, select, multiply, add, shift."""
        return 5

    @property
    def rescale(self) -> int:
        """Bias, two products, their sum, two steps of the shift, round and clamp."""
        return 6

    @property
    def finish(self) -> int:
        """``rescale``; in a machine with functions, a piecewise unit and one more clamp follow, used or not."""
        return self.rescale + (self.function + 1 if self.array.functions else 0)

    @property
    def add(self) -> int:
        """Residual add: multiply, sum, two steps of the shift, round and clamp; without one the result passes."""
        return 5

    @property
    def sum(self) -> int:
        """From the issue of a row to its sum in the finisher's input: index read, register, cell, tree, accumulator."""
        return 4 + self.tree

    @property
    def load(self) -> int:
        """From a LOAD's beat taken to its words written: its register, writer."""
        return 2

    @property
    def output(self) -> int:
        """From the issue of a row to its word written or its output beat on offer: ``sum``, finisher, add, writer."""
        return self.sum + self.finish + self.add + 1

    @property
    def leave(self) -> int:
        """From an operation's last output beat taken to the operation done."""
        return 1

    @property
    def transpose(self) -> int:
        """In a vector machine, from the issue of a column tile's last row to its outputs ready to be drained."""
        return self.sum + self.finish + 1

    @property
    def drain(self) -> int:
        """From a drained row to its word written or its output beat on offer: transposer, add, writer."""
        return 3 + self.add + 1

    @property
    def release(self) -> int:
        """From the issue of a column tile's last row to its parameter bank free for the next beat."""
        return self.sum + self.rescale

    @property
    def row_release(self) -> int:
        """From a norm's last row of a word fed, in the last pass, to its parameter bank free for the next beat."""
        return self.row + self.rescale

    @property
    def buffer(self) -> int:
        """Depth of the output buffer that never makes the walker, a pool or a ROW wait when its reader does not."""
        feed = self.row if self.array.functions else self.pool
        return most(self.output, feed + self.finish + self.add + 1) + 2
