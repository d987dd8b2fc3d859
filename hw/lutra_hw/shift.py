"""A shift to the right that saturates, in two steps: by whole bytes, then by up to seven bits."""

from amaranth.hdl import Array as Choice
from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import data

__all__ = ["coarse", "fine", "window"]

FINE = 3  # bits of the places of the second step


def window(bits: int) -> data.StructLayout:
    """A value between the two steps: what can still come into a result of so many bits, and whether there is more."""
    return data.StructLayout({"value": signed(bits + (1 << FINE) - 1), "beyond": 1, "negative": 1})


def coarse(m: Module, value: Value, places: Value, into: data.View) -> None:
    """The first step, by ``places`` without their lowest bits, into a `window` in the next cycle."""
    width, most = len(into.value), len(value)
    kept, beyond = [], []
    differs = Signal(most, name="differs")  # from the sign
    m.d.comb += differs.eq(value ^ value[-1].replicate(most))
    for first in range(0, 8 << len(places) - FINE, 8):
        wide = value[min(first, most - 1):].as_signed()
        kept.append(Signal(signed(width), name=f"kept_{first}"))
        m.d.comb += kept[-1].eq(wide)
        beyond.append(differs[first + width - 1:].any())
    by = places[FINE:]
    m.d.sync += [into.value.eq(Choice(kept)[by]), into.beyond.eq(Choice(beyond)[by]), into.negative.eq(value[-1])]


def fine(m: Module, given: data.View, places: Value, bits: int) -> Value:
    """The second step, by the lowest bits of ``places``: signed, of so many bits, saturated; combinational."""
    shifted = Signal.like(given.value, name="shifted")
    m.d.comb += shifted.eq(given.value >> places[:FINE])
    high, sign = shifted[bits - 1:], given.negative
    fits = ~given.beyond & (high.all() | ~high.any())
    return Mux(fits, shifted[:bits], Mux(sign, 1 << bits - 1, (1 << bits - 1) - 1)).as_signed()
