"""LUT Tensor Core's unit in parts: tables of K activations, groups of weights that select from them."""

from collections.abc import Mapping
from dataclasses import dataclass

from lutra_model.technology import Technology

__all__ = ["Unit", "multiplier", "priced"]

ACCUMULATOR = 32
Parts = Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Unit:
    """``tables`` of ``group`` activations each, told to ``columns`` groups of weights; a plane of weights in a cycle.

    Parameters
    ----------
    bits : of a weight. folded : half the sums are stored, the others are their negatives. inverted : the hardware
        inverts the index of a negative, which can be done to the weights beforehand. builder : the unit makes its
        tables. entry_bits : of a table's entry; 0: as many as the sum of 8-bit activations needs.
    """

    tables: int = 2
    columns: int = 64
    group: int = 4
    bits: int = 2
    folded: bool = True
    inverted: bool = False
    builder: bool = False
    entry_bits: int = 0

    @property
    def entry(self) -> int:
        """Bits of an entry."""
        return self.entry_bits or 9 + (self.group - 1).bit_length()

    @property
    def entries(self) -> int:
        """Entries of a table."""
        return 1 << self.group - self.folded

    @property
    def macs(self) -> int:
        """One-bit multiply-accumulates of a cycle."""
        return self.tables * self.columns * self.group

    def static(self) -> dict[str, float]:
        """What the unit holds: tables, groups of weights."""
        return {"register": self.tables * self.entries * self.entry + self.columns * self.group * self.bits}

    def moving(self) -> dict[str, float]:
        """What works in every cycle: selection, negation, inversion, the planes' shifted sums."""
        readers = self.tables * self.columns
        negation = readers * self.entry if self.folded else 0
        inversion = self.columns * (self.group - 1) if self.inverted else 0
        planes = self.columns * self.group * (self.bits - 1)
        return {"mux": readers * (self.entries - 1) * self.entry + negation + inversion + planes,
                "add": readers * ACCUMULATOR, "register": readers * ACCUMULATOR}

    def building(self) -> dict[str, float]:
        """Adders that make all tables at once."""
        sums = {1: 1, 2: 2}.get(self.group, 2 * (1 << self.group // 2) // 2 + self.entries)
        return {"add": self.tables * sums * self.entry} if self.builder else {}


def multiplier(bits: int, columns: int, *, length: int = 4) -> list[Parts]:
    """A multiplying unit of as many outputs: products of 8 x ``bits`` bits, ``length`` summed with an accumulator."""
    product = 8 + max(2, bits)
    tree = (length - 1) * (product + 2)
    return [{"multiply": length * columns * bits / 8, "add": columns * (tree + ACCUMULATOR),
             "register": columns * (ACCUMULATOR + length * bits)}]


def priced(parts: list[Parts], technology: Technology, what: str = "") -> float:
    """Sum of all parts at the technology's prices; ``what`` is ``_area`` for areas."""
    return sum(amount * technology.price(f"{name}{what}") for part in parts for name, amount in part.items())
