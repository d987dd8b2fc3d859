"""Units of LUT Tensor Core in Amaranth: tables of a group of activations and many columns that select from them.

Beside them stands a unit that multiplies. Both add to accumulators, one for each column, in every cycle.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from amaranth.hdl import Array as Choice
from amaranth.hdl import Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import NDArray

__all__ = ["ACCUMULATOR", "FORMS", "LENGTH", "LookupUnit", "MacUnit", "Unit", "sums"]

ACCUMULATOR = 24
LENGTH = 4  # products that a multiplying column sums in a cycle
FORMS = ("whole table", "half table, indices inverted", "half table", "table outside")  # the paper's table 2


@dataclass(frozen=True, kw_only=True)
class Unit:
    """``group`` activations of a table, ``columns`` that read it, ``bits`` planes of a weight; a form of `FORMS`."""

    form: str = "half table"
    group: int = 4
    columns: int = 64
    bits: int = 2

    @property
    def entry(self) -> int:
        """Bits of an exact sum of the group's 8-bit activations."""
        return 9 + (self.group - 1).bit_length()

    @property
    def entries(self) -> int:
        """Entries of a table."""
        return 1 << self.group - (self.form != FORMS[0])


def sums(activations: NDArray[np.int64], whole: bool) -> NDArray[np.int64]:
    """Tables ``(groups, entries)`` of activations ``(groups, group)``: bit j of an index is weight j's sign.

    Half a table has those whose last weight is negative.
    """
    group = activations.shape[1]
    index = np.arange(1 << (group if whole else group - 1))
    signs = np.where(index[:, None] >> np.arange(group) & 1, 1, -1)
    return activations @ signs.T


class LookupUnit(wiring.Component):
    """A table and its columns; latency 3 cycles from activations (2 from a table outside) to the accumulators.

    Members
    -------
    a, opens : a group of activations, whose table is used from the next cycle on (unless it is outside).
    t_N : entry N of a table outside, one cycle after its first pattern is given.
    w_N : signs of column N's group in one plane; where indices are not inverted in hardware, those of a half table have
    it done. shift : the plane. clear : accumulators begin anew with this plane.
    o_N : accumulator of column N.
    """

    def __init__(self, unit: Unit):
        self.unit = unit
        shift = max(1, (unit.bits - 1).bit_length())
        ports: dict[str, Any] = {f"w_{n}": In(unit.group) for n in range(unit.columns)}
        ports |= {"shift": In(shift), "clear": In(1)}
        ports |= {f"o_{n}": Out(signed(ACCUMULATOR)) for n in range(unit.columns)}
        ports |= {f"t_{n}": In(signed(unit.entry)) for n in range(unit.entries)} if unit.form == FORMS[3] else {
            "a": In(8 * unit.group), "opens": In(1)}
        super().__init__(ports)

    def elaborate(self, platform: Any) -> Module:
        m, unit = Module(), self.unit
        shift, clear = Signal.like(self.shift, name="shift_1"), Signal(name="clear_1")
        m.d.sync += [shift.eq(self.shift), clear.eq(self.clear)]
        table = Choice(self._table(m))
        for n in range(unit.columns):
            pattern = Signal(unit.group, name=f"pattern_{n}", reset_less=True)
            m.d.sync += pattern.eq(getattr(self, f"w_{n}"))
            index, sign = pattern[:unit.group - 1], pattern[unit.group - 1]
            if unit.form == FORMS[0]:
                value, one = table[pattern], Const(0)
            else:  # a negative is the inverse and one more
                chosen = table[index ^ sign.replicate(len(index)) if unit.form == FORMS[1] else index]
                value, one = chosen ^ sign.replicate(unit.entry).as_signed(), sign
            total = Signal(signed(ACCUMULATOR), name=f"total_{n}", reset_less=True)
            if unit.bits > 1:
                value, one = value << shift, one << shift
            m.d.sync += total.eq(Mux(clear, 0, total) + value + one)
            m.d.comb += getattr(self, f"o_{n}").eq(total)
        return m

    def _table(self, m: Module) -> list[Value]:
        unit = self.unit
        if unit.form == FORMS[3]:
            return [getattr(self, f"t_{n}") for n in range(unit.entries)]
        kept = []
        made = self._sums([self.a.word_select(j, 8).as_signed() for j in range(unit.group)])[:unit.entries]
        for n, value in enumerate(made):
            entry = Signal(signed(unit.entry), name=f"entry_{n}", reset_less=True)
            with m.If(self.opens):
                m.d.sync += entry.eq(value)
            kept.append(entry)
        return kept

    def _sums(self, scalars: list[Value]) -> list[Value]:
        """All signed sums; those of halves are shared."""
        if len(scalars) == 1:
            return [-scalars[0], scalars[0]]
        low, high = self._sums(scalars[:len(scalars) // 2]), self._sums(scalars[len(scalars) // 2:])
        return [one + other for one in high for other in low]


class MacUnit(wiring.Component):
    """Columns of `LENGTH` products of 8 x ``bits`` bits and an accumulator; latency 2 cycles.

    Members
    -------
    a : activations. w_N : weights of column N, signed, or of one bit: 1 for +1, 0 for -1. clear : begin anew.
    o_N : accumulator of column N.
    """

    def __init__(self, bits: int, columns: int):
        self.bits, self.columns = bits, columns
        ports: dict[str, Any] = {"a": In(8 * LENGTH), "clear": In(1)}
        ports |= {f"w_{n}": In(LENGTH * bits) for n in range(columns)}
        super().__init__(ports | {f"o_{n}": Out(signed(ACCUMULATOR)) for n in range(columns)})

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        a, clear = Signal.like(self.a, name="a_1", reset_less=True), Signal(name="clear_1")
        m.d.sync += [a.eq(self.a), clear.eq(self.clear)]
        for n in range(self.columns):
            w = Signal(LENGTH * self.bits, name=f"w_{n}_1", reset_less=True)
            m.d.sync += w.eq(getattr(self, f"w_{n}"))
            total = Signal(signed(ACCUMULATOR), name=f"total_{n}", reset_less=True)
            products = [self._product(a.word_select(j, 8).as_signed(), w.word_select(j, self.bits))
                        for j in range(LENGTH)]
            m.d.sync += total.eq(sum(products, Mux(clear, Const(0), total)))
            m.d.comb += getattr(self, f"o_{n}").eq(total)
        return m

    def _product(self, a: Value, w: Value) -> Value:
        """Of one bit: the activation, or its inverse and one more."""
        return (a ^ ~w.replicate(8).as_signed()) + ~w if self.bits == 1 else a * w.as_signed()
