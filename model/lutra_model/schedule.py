"""How deep the pipelines are.

The hardware generator takes its stage counts from here, the latency model its recurrences: one record, so that they
cannot drift apart.
"""

from dataclasses import dataclass

from .params import Array

__all__ = ["PARAMETER_BEATS", "Pipeline"]

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
