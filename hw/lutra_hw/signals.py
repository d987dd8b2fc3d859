"""Small pieces that every component uses: widths, delays, AXI4-Stream names."""

from amaranth.hdl import Cat, Module, ShapeLike, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["bits", "chain", "delay", "held", "sink_ports", "take"]


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


def chain(m: Module, value: Value, cycles: int, *, reset: bool = False) -> list[Value]:
    """``value`` and as it was 1 to ``cycles`` cycles ago."""
    found = [value]
    for _ in range(cycles):
        found.append(delay(m, found[-1], 1, reset=reset))
    return found


def held(m: Module, enable: Value, value: Value, name: str = "held") -> Signal:
    """``value`` as it was in the last cycle with ``enable``."""
    register = Signal.like(value, name=name, reset_less=True)
    with m.If(enable):
        m.d.sync += register.eq(value)
    return register


def sink_ports(name: str, width: int, *, last: bool = False) -> dict[str, wiring.Member]:
    """Members of an AXI4-Stream input, under the names that the Verilog shows; with ``tlast`` if asked for."""
    ports = {f"{name}_tdata": In(width), f"{name}_tvalid": In(1), f"{name}_tready": Out(1)}
    return ports | ({f"{name}_tlast": In(1)} if last else {})


def take(m: Module, component: wiring.Component, name: str, *, drop: Value | None = None) -> stream.Interface:
    """The AXI4-Stream input ``name`` of ``component`` as an Amaranth stream to read from.

    Its payload is the data, or data and ``last``. While ``drop`` is high, all beats are taken.
    """
    payload = getattr(component, f"{name}_tdata")
    shape: ShapeLike = payload.shape()
    if hasattr(component, f"{name}_tlast"):
        shape = data.StructLayout({"data": payload.shape(), "last": 1})
        payload = Cat(payload, getattr(component, f"{name}_tlast"))
    inner = stream.Signature(shape).create(path=(name,))
    m.d.comb += [Value.cast(inner.payload).eq(payload), inner.valid.eq(getattr(component, f"{name}_tvalid")),
                 getattr(component, f"{name}_tready").eq(inner.ready if drop is None else inner.ready | drop)]
    return inner
