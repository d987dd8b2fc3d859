"""Small pieces that every component uses: widths, delays, AXI4-Stream names."""

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["bits", "delay", "sink_ports", "take"]


def bits(count: int) -> int:
    """Bits that tell ``count`` values apart, at least one."""
    return max(1, (count - 1).bit_length())


def delay(m: Module, value: Value, cycles: int, *, reset: bool = False) -> Value:
    """``value`` as it was ``cycles`` cycles ago; with ``reset`` the registers start at zero again."""
    for _ in range(cycles):
        later = Signal.like(value, reset_less=not reset, init=0)
        m.d.sync += later.eq(value)
        value = later
    return value


def sink_ports(name: str, width: int) -> dict[str, wiring.Member]:
    """Members of an AXI4-Stream input, under the names that the Verilog shows."""
    return {f"{name}_tdata": In(width), f"{name}_tvalid": In(1), f"{name}_tready": Out(1)}


def take(m: Module, component: wiring.Component, name: str) -> stream.Interface:
    """The AXI4-Stream input ``name`` of ``component`` as an Amaranth stream to read from."""
    data = getattr(component, f"{name}_tdata")
    inner = stream.Signature(data.shape()).create(path=(name,))
    m.d.comb += [inner.payload.eq(data),
                 inner.valid.eq(getattr(component, f"{name}_tvalid")),
                 getattr(component, f"{name}_tready").eq(inner.ready)]
    return inner
