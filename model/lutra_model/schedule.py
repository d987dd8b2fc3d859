"""How deep the pipelines are.

The hardware generator takes its stage counts from here, the latency model its recurrences: one record, so that they
cannot drift apart.
"""

from dataclasses import dataclass

from .params import Array

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
    def transpose(self) -> int:
        """In a vector machine, from the issue of a column tile's last row to its outputs ready to be drained."""
        return self.sum + self.finish + 1

    @property
    def drain(self) -> int:
        """From a drained row to its word written or its output beat on offer: transposer, add, writer."""
        return 2 + self.add + 1

    @property
    def release(self) -> int:
        """From the issue of a column tile's last row to its parameter bank free for the next beat."""
        return self.sum + self.finish

    @property
    def buffer(self) -> int:
        """Depth of the output buffer that never makes the walker or a pool wait when its reader does not."""
        return max(self.output, self.pool + self.finish + self.add + 1) + 2
