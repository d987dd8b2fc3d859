"""lutra_sim.gates.synthesis: what components become, simulated, equals the components themselves."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Module, Mux, Signal, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator, SimulatorContext

from lutra_sim.gates import liberty
from lutra_sim.gates.netlist import LOW, Netlist
from lutra_sim.gates.simulate import run
from lutra_sim.gates.synthesis import synthesise
from tests.sim.gates.circuits import TOY, toy

CYCLES = 60
PERIOD = 20.0  # ns, ample


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


class Described(wiring.Component):
    """A component whose ``elaborate`` is a function that fills a module."""

    def __init__(self, ports: dict[str, Any], describe: Callable[[Module, Any], None]) -> None:
        self.describe = describe
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self.describe(m, self)
        return m


def stimulus(component: wiring.Component, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    names = [name for name, port in component.signature.members.items() if port.flow == In]
    return {name: rng.integers(0, 1 << len(getattr(component, name)), CYCLES) for name in names}


def simulated(component: wiring.Component, inputs: dict[str, np.ndarray]) -> dict[str, list[int]]:
    """What Amaranth's simulator says of each cycle's end."""
    ports = component.signature.members.items()
    answers: dict[str, list[int]] = {name: [] for name, port in ports if port.flow == Out}

    async def bench(ctx: SimulatorContext) -> None:
        for cycle in range(CYCLES):
            for name, values in inputs.items():
                ctx.set(getattr(component, name), int(values[cycle]))
            for name, found in answers.items():
                port = getattr(component, name)
                found.append(int(ctx.get(port)) % (1 << len(port)))
            await ctx.tick()

    top = Module()
    top.submodules.component = component
    top.d.sync += Signal().eq(0)
    simulator = Simulator(top)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return answers


def agrees(netlist: Netlist, component: wiring.Component, seed: int) -> bool:
    """Whether the netlist's outputs are the component's, with delays and without."""
    inputs = stimulus(component, seed)
    expected = simulated(component, inputs)
    done = [run(netlist, inputs, period_ns=PERIOD, delays=delays) for delays in (True, False)]
    assert done[0].late == 0
    return all(part.same(name, np.array(values)) for part in done for name, values in expected.items())


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


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_netlist_equals_its_component(name: str, cache: Path) -> None:
    netlist = synthesise(COMPONENTS[name](), toy(), name=name, period_ns=PERIOD, cache=cache)
    assert agrees(netlist, COMPONENTS[name](), 1)


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


@pytest.mark.parametrize("seed", range(4))
def test_a_random_netlist_equals_its_component(seed: int, cache: Path) -> None:
    netlist = synthesise(drawn_at_random(seed), toy(), name=f"random {seed}", period_ns=PERIOD, cache=cache)
    assert agrees(netlist, drawn_at_random(seed), seed)


@pytest.mark.skipif("LUTRA_LIBERTY" not in os.environ, reason="LUTRA_LIBERTY names no Liberty files")
@pytest.mark.parametrize("name", ["accumulate", "table"])
def test_a_library_of_the_user(name: str, cache: Path) -> None:
    library = liberty.read(os.environ["LUTRA_LIBERTY"].split(os.pathsep))
    netlist = synthesise(COMPONENTS[name](), library, name=name, period_ns=PERIOD, cache=cache)
    assert agrees(netlist, COMPONENTS[name](), 1)
    idle = {port: np.zeros(50, int) for port in stimulus(COMPONENTS[name](), 0)}
    done = [run(netlist, part, period_ns=PERIOD).energy for part in (idle, stimulus(COMPONENTS[name](), 0))]
    assert 0 < done[0].leakage < done[0].total
    assert done[0].internal == done[0].switching == 0
    assert done[1].internal > 0 < done[1].switching


@pytest.mark.parametrize("period_ns", [0.2, 0.35])
def test_a_short_period_makes_quicker_adders(period_ns: float, cache: Path) -> None:
    component = COMPONENTS["accumulate"]
    slow = synthesise(component(), toy(), name="accumulate", period_ns=PERIOD, cache=cache)
    quick = synthesise(component(), toy(), name="accumulate", period_ns=period_ns, cache=cache)
    assert quick.delay_ns < slow.delay_ns
    assert quick.area_um2 > slow.area_um2
    assert agrees(quick, component(), 2)


def test_words_of_tables_become_latches(cache: Path) -> None:
    component = COMPONENTS["table"]
    registers, latches = (synthesise(component(), toy(), name="table", period_ns=PERIOD, storage=storage, cache=cache)
                          for storage in ("flip-flop", "latch"))
    assert latches.cells["LATCH"] == 8 * 5
    assert latches.cells["LATCHN"] == 5
    assert registers.cells["DFF"] == latches.cells["DFF"] + 8 * 5
    assert latches.cells["GATE"] == registers.cells["GATE"] == 8
    assert latches.area_um2 < registers.area_um2
    assert agrees(latches, component(), 3)


def test_a_product_is_one_tree_of_the_librarys_adders(cache: Path) -> None:
    netlist = synthesise(COMPONENTS["accumulate"](), toy(), name="accumulate", period_ns=PERIOD, cache=cache)
    # 30 partial products, 20 bits of the total and a constant; each adder takes one bit away, and 20 are left
    assert 24 <= netlist.cells["FA"] <= 34
    assert netlist.cells["GATE"] == 1


def test_a_planted_bug_is_seen(cache: Path) -> None:
    component = COMPONENTS["accumulate"]
    netlist = synthesise(component(), toy(), name="accumulate", period_ns=PERIOD, cache=cache)
    adders = np.flatnonzero(netlist.type == netlist.types.index("FA"))
    for adder in adders[::5]:
        inputs = netlist.inputs.copy()
        inputs[netlist.input_start[adder] + 2] = LOW
        assert not agrees(replace(netlist, inputs=inputs), component(), 1)


@pytest.mark.parametrize(("old", "new", "message"), [
    ("ff (IQ, IQN)", "nothing (IQ, IQN)",
     "the library toy must have a flip-flop without reset that takes D at the clock's rise"),
    ('"!A"; max', '"A"; max', "the library toy must have an inverter"),
    ("internal_power", "other_power", "the library toy must have internal_power tables, and has none"),
])
def test_a_library_that_will_not_do(old: str, new: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "toy.lib").write_text(TOY.read_text().replace(old, new))
    with pytest.raises(ValueError, match=f"^{message}$"):
        synthesise(COMPONENTS["table"](), liberty.read([tmp_path / "toy.lib"]), name="table", period_ns=1)


def test_bad_settings_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^storage must be one of flip-flop, latch, not sram$"):
        synthesise(COMPONENTS["table"](), toy(), name="table", period_ns=1, storage="sram")
    with pytest.raises(ValueError, match=r"^a clock's period must be positive, not 0 ns$"):
        synthesise(COMPONENTS["table"](), toy(), name="table", period_ns=0)
