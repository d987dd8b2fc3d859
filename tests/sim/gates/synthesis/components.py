"""Components to synthesise, written out and drawn at random."""

from collections.abc import Callable
from typing import Any

import numpy as np
from amaranth.hdl import Module, Mux, Signal, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

__all__ = ["COMPONENTS", "drawn_at_random"]


class Described(wiring.Component):
    """A component whose ``elaborate`` is a function that fills a module."""

    def __init__(self, ports: dict[str, Any], describe: Callable[[Module, Any], None]) -> None:
        self.describe = describe
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self.describe(m, self)
        return m


def accumulate(m: Module, self: Any) -> None:
    total, weight = Signal(signed(20)), Signal(signed(6), init=-3)
    with m.If(self.load):
        m.d.sync += weight.eq(self.b)
    m.d.sync += total.eq(Mux(self.clear, 5, total) + self.a * weight)
    m.d.comb += self.o.eq(total)


def table(m: Module, self: Any) -> None:
    m.submodules.words = words = Memory(shape=signed(5), depth=8, init=[])
    write, read = words.write_port(), words.read_port()
    m.d.comb += [write.addr.eq(self.at), write.data.eq(self.a), write.en.eq(self.load), read.en.eq(1),
                 read.addr.eq(self.i), self.o.eq(read.data)]


def mixed(m: Module, self: Any) -> None:
    a, b, c = self.a, self.b, self.c
    m.d.comb += [self.products.eq(a * b - c * c + (a - b) * c), self.square.eq(b * b), self.least.eq(Mux(a < b, a, b)),
                 self.sum.eq(a + b - c + 7 - (a ^ c))]


COMPONENTS: dict[str, Callable[[], wiring.Component]] = {
    "accumulate": lambda: Described({"a": In(signed(5)), "b": In(signed(6)), "load": In(1), "clear": In(1),
                                     "o": Out(signed(20))}, accumulate),
    "table": lambda: Described({"a": In(signed(5)), "at": In(3), "i": In(3), "load": In(1), "o": Out(signed(5))},
                               table),
    **{f"mixed-{'-'.join(str(shape) for shape in shapes)}": lambda shapes=shapes: Described(
        {**{name: In(shape) for name, shape in zip("abc", shapes, strict=True)}, "products": Out(signed(14)),
         "square": Out(10), "least": Out(signed(6)), "sum": Out(signed(9))}, mixed)
       for shapes in ((signed(4), signed(5), signed(3)), (unsigned(4), unsigned(1), unsigned(5)),
                      (signed(1), unsigned(5), signed(6)))},
}


def drawn_at_random(seed: int) -> Described:
    """Four registers and twelve operations on them and on three inputs, of random widths and signs."""
    rng = np.random.default_rng(seed)

    def shape() -> Any:
        width = int(rng.integers(1, 7))
        return signed(width) if rng.integers(2) else unsigned(width)

    ports = {name: In(shape()) for name in "abc"} | {"o": Out(shape()), "p": Out(shape())}
    shapes = [shape() for _ in range(4)]
    picks = rng.integers(0, 1 << 16, (12 + 4 + 2, 4))

    def describe(m: Module, self: Any) -> None:
        registers = [Signal(part, init=int(pick[3]) % (1 << max(part.width - 1, 0)), name=f"r{place}")
                     for place, (part, pick) in enumerate(zip(shapes, picks[12:], strict=False))]
        values: list[Any] = [self.a, self.b, self.c, *registers]
        for kind, *parts in picks[:12].tolist():
            x, y, z = (values[part % len(values)] for part in parts)
            choices = [x + y, x - y, x[:6] * y[:6], Mux(x, y, z), x ^ y, x & ~y, x < y, x == y, -x, x * x]
            values.append(choices[kind % 10][:12])
        for register, (_, left, enable, _) in zip(registers, picks[12:16].tolist(), strict=True):
            with m.If(values[enable % len(values)].any()):
                m.d.sync += register.eq(values[left % len(values)])
        m.d.comb += [self.o.eq(values[-1]), self.p.eq(values[-2] - values[-3])]

    return Described(ports, describe)
