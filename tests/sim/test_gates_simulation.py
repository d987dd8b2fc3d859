"""lutra_sim.gates.simulate on netlists drawn by hand, in a library of round numbers: every femtojoule is known.

The library's voltage is 2 V, so a net of C fF takes 2 C fJ for each transition. All transitions take 10 ps, so every
delay is 11 ps and 1 ps for each fF.
"""

from itertools import pairwise

import numpy as np
import pytest

from lutra_sim.gates.simulate import run
from tests.sim.gates.circuits import drawn

PERIOD = 1.0  # ns


def values(text: str) -> np.ndarray:
    return np.array([int(value) for value in text])


def test_an_inverter() -> None:
    # The input's net has 1 fF, the output's none. Counted: one rise of A, a fall of Y, one fall of A, a rise of Y.
    done = run(drawn("a", "y", "INV A=a Y=y"), {"a": values("0010")}, period_ns=PERIOD)
    assert done.outputs["y"].tolist() == [1, 1, 0, 1]
    assert done.energy.internal * 1e3 == pytest.approx(2 + 3)
    assert done.energy.switching * 1e3 == pytest.approx(2 * 1 * 2)
    assert done.energy.clock == 0
    assert done.toggles.sum() == 4
    assert done.cycles == 3
    assert done.activity("a") == pytest.approx(2 / 3)


def test_leakage_follows_the_state() -> None:
    # A rises 12 ps after the edge of cycle 1: what a DFF takes that drives one inverter.
    done = run(drawn("a", "y", "INV A=a Y=y"), {"a": values("011")}, period_ns=PERIOD)
    assert done.energy.leakage * 1e6 == pytest.approx(1 * 0.012 + 3 * 1.988)


@pytest.mark.parametrize(("wire_load", "load"), [(None, 3), ("long", 3 + 0.5 * 4)])
def test_a_net_has_its_pins_and_wires(wire_load: str | None, load: float) -> None:
    netlist = drawn("a b", "y z", "INV A=a Y=y", "NAND2 A=b B=a Y=z", wire_load=wire_load)
    assert netlist.load_ff[netlist.ports["a"].nets].tolist() == [load]
    done = run(netlist, {"a": values("0011"), "b": values("0000")}, period_ns=PERIOD)
    assert done.energy.switching * 1e3 == pytest.approx(2 * load)


def test_an_input_that_does_not_reach_the_output_costs_too() -> None:
    done = run(drawn("a b", "y", "NAND2 A=a B=b Y=y"), {"a": values("0010"), "b": values("0000")}, period_ns=PERIOD)
    assert done.energy.internal * 1e3 == pytest.approx(0.5 + 0.25)
    assert done.outputs["y"].tolist() == [1, 1, 1, 1]


def test_the_pin_that_changes_an_output_says_what_it_costs() -> None:
    nand = drawn("a b", "y", "NAND2 A=a B=b Y=y")
    assert run(nand, {"a": values("01"), "b": values("11")}, period_ns=PERIOD).energy.internal * 1e3 == pytest.approx(6)
    assert run(nand, {"a": values("11"), "b": values("01")}, period_ns=PERIOD).energy.internal * 1e3 == pytest.approx(8)


def test_the_state_says_what_it_costs() -> None:
    xor = drawn("a b", "y", "XOR2 A=a B=b Y=y")
    assert run(xor, {"a": values("01"), "b": values("11")}, period_ns=PERIOD).energy.internal * 1e3 == pytest.approx(11)
    assert run(xor, {"a": values("10"), "b": values("00")}, period_ns=PERIOD).energy.internal * 1e3 == pytest.approx(13)


@pytest.mark.parametrize(("inverters", "transitions"), [(1, 2), (3, 4), (5, 4)])
def test_a_glitch_counts_if_it_is_longer_than_the_delay(inverters: int, transitions: int) -> None:
    """An XOR of a signal and of its inverted copy, late by 13 ps with one inverter and 37 ps with three.

    As the signal rises, the XOR would fall after 31 ps, but for the copy; as it falls, after 11 ps.
    """
    nets = ["a", *(f"n{place}" for place in range(inverters - 1)), "late"]
    chain = [f"INV A={before} Y={after}" for before, after in pairwise(nets)]
    netlist = drawn("a", "y", *chain, "XOR2 A=a B=late Y=y")
    done = run(netlist, {"a": values("0100")}, period_ns=PERIOD)
    assert done.outputs["y"].tolist() == [1, 1, 1, 1]
    assert done.toggles[netlist.ports["y"].nets].tolist() == [transitions]
    still = run(netlist, {"a": values("0100")}, period_ns=PERIOD, delays=False)
    assert still.toggles[netlist.ports["y"].nets].tolist() == [0]


def test_a_register() -> None:
    # D rises in cycle 1 while CK is high, Q in cycle 2; both stay.
    netlist = drawn("clk d", "q", "DFF CK=clk D=d Q=q")
    done = run(netlist, {"d": values("01111")}, period_ns=PERIOD)
    assert done.outputs["q"].tolist() == [0, 0, 1, 1, 1]
    assert done.energy.internal * 1e3 == pytest.approx(0.5 + 20)
    # Edges of the clock: 4 while D = Q = 0, 6 with D alone, 0 as Q rises, then 1 2 1 2 1; its net takes 2 fJ each time.
    assert done.energy.clock * 1e3 == pytest.approx(4 + 6 + 0 + 1 + 2 + 1 + 2 + 1 + 8 * 2)


def test_a_gated_clock_costs_nothing_behind_the_gate() -> None:
    netlist = drawn("clk e d", "q", "GATE CK=clk E=e GCK=g", "DFF CK=g D=d Q=q")
    off = run(netlist, {"e": values("0000"), "d": values("0101")}, period_ns=PERIOD)
    assert off.outputs["q"].tolist() == [0, 0, 0, 0]
    assert off.energy.clock * 1e3 == pytest.approx(6 * (0.125 + 2))  # the gate's pin and the clock's net
    on = run(netlist, {"e": values("1111"), "d": values("0000")}, period_ns=PERIOD)
    assert on.energy.clock * 1e3 == pytest.approx(6 * (0.125 + 2) + 6 * (9 + 2) + 3 * (4 + 3))


def test_a_gate_takes_its_enable_before_the_edge() -> None:
    netlist = drawn("clk e d", "q", "GATE CK=clk E=e GCK=g", "DFF CK=g D=d Q=q")
    done = run(netlist, {"e": values("010010"), "d": values("111110")}, period_ns=PERIOD)
    assert done.outputs["q"].tolist() == [0, 0, 1, 1, 1, 1]


def test_two_latches_are_a_register() -> None:
    rng = np.random.default_rng(0)
    inputs = {"d": rng.integers(0, 2, 200), "e": rng.integers(0, 2, 200)}
    register = drawn("clk d e", "q", "GATE CK=clk E=e GCK=g", "DFF CK=g D=d Q=q")
    latches = drawn("clk d e", "q", "GATE CK=clk E=e GCK=g", "LATCHN G=clk D=d Q=h", "LATCH G=g D=h Q=q")
    for delays in (True, False):
        answers = [run(netlist, inputs, period_ns=PERIOD, delays=delays) for netlist in (register, latches)]
        assert answers[0].outputs["q"].tolist() == answers[1].outputs["q"].tolist()


def test_too_short_a_period_is_said() -> None:
    names = ["a", *(f"n{place}" for place in range(9)), "y"]
    netlist = drawn("clk a", "q y", *(f"INV A={a} Y={b}" for a, b in pairwise(names)),
                    "DFF CK=clk D=y Q=q")
    stimulus = {"a": values("0101010101")}
    assert run(netlist, stimulus, period_ns=PERIOD).late == 0
    assert run(netlist, stimulus, period_ns=0.1).late > 0
    assert netlist.delay_ns == pytest.approx(10 * 0.012 + 0.006)  # and the setup time of a fall


def test_quiet_nets_have_names() -> None:
    done = run(drawn("a b", "y z", "INV A=a Y=y", "INV A=b Y=z"), {"a": values("010"), "b": values("000")},
               period_ns=PERIOD)
    assert done.quiet == ["b", "z"]


def test_energy_by_cell_adds_up() -> None:
    netlist = drawn("clk d", "q", "DFF CK=clk D=d Q=p", "INV A=p Y=q")
    done = run(netlist, {"d": values("0101100")}, period_ns=PERIOD)
    inputs = sum(2 * 1 * done.toggles[netlist.ports[name].nets[0]] for name in ("clk", "d")) / 1e3
    assert done.cell_energy_pj.sum() + inputs == pytest.approx(done.energy.total)


@pytest.mark.parametrize(("inputs", "message"), [
    ({}, r"the inputs of drawn must have one value for each cycle, all as many, not \[\]"),
    ({"a": [0, 1]}, "the input b of drawn must be given"),
    ({"a": [0, 1], "b": [0, 1], "c": [0, 1]}, "an input of drawn must be one of a, b, not c"),
    ({"a": [0, 1], "b": [0]}, r"the inputs of drawn must have one value for each cycle, all as many, not \[1, 2\]"),
    ({"a": [0], "b": [0]}, "a run must skip 1 cycle and count 1 at least, not skip 1 of 1"),
])
def test_bad_inputs_are_refused(inputs: dict[str, list[int]], message: str) -> None:
    netlist = drawn("a b", "y", "NAND2 A=a B=b Y=y")
    with pytest.raises(ValueError, match=f"^{message}$"):
        run(netlist, {name: np.array(part) for name, part in inputs.items()}, period_ns=PERIOD)


def test_bad_netlists_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^the netlist of drawn has 1 cells MUX, which are not in the library toy$"):
        drawn("a", "y", "MUX A=a Y=y")
    loop = drawn("a", "y", "NAND2 A=a B=z Y=y", "INV A=y Y=z")
    with pytest.raises(ValueError, match=r"^the netlist of drawn must not have loops of logic, as at cell0$"):
        _ = loop.levels
