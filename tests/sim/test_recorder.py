"""Parts of the machine: carved out of it they do, alone, what they did inside."""

import numpy as np
import pytest
from amaranth.sim import Simulator, SimulatorContext

from lutra_hw.machine import Machine
from lutra_model import golden
from lutra_model.params import Array
from lutra_model.program import compile_network
from lutra_sim.gates.blocks import BLOCKS
from lutra_sim.gates.carve import Design, Part
from lutra_sim.gates.recorder import Recording, record
from tests.sim.characterised import workload

LOOKUP = Array(rows=2, columns=2, encoders=1, length=2, entries=4)
MACHINES = {"lookup": LOOKUP, "mac": Array(engine="mac", rows=2, columns=2, encoders=2, length=1, entries=1),
            "lut-tc": Array(engine="lut-tc", rows=2, columns=4, encoders=2, length=4, entries=2)}


def recorded(array: Array) -> tuple[Design, dict[str, Part], Recording]:
    """A run of random numbers, seen at the ports of all blocks that the machine has for them."""
    found, array = workload(array)
    design, program = Design(Machine(array)), compile_network(found.network, array)
    chosen = {name: block.part(design) for name, block in BLOCKS.items()
              if block.runs_on(array) and block.workload == "product"}
    seen = record(design, chosen, program, found.inputs)
    expected = golden.run(found.network, found.inputs)[found.network.nodes[-1].name]
    np.testing.assert_array_equal(seen.outputs, expected)
    return design, chosen, seen


def values(part: Part, port: str, given: np.ndarray) -> list[int]:
    """A port's recorded bytes as what its signal takes."""
    signal, numbers = part.ports[port], [int.from_bytes(row.tobytes(), "little") for row in given]
    if not signal.shape().signed:
        return numbers
    half = 1 << len(signal) - 1
    return [(number ^ half) - half for number in numbers]


def differences(part: Part, ports: dict[str, np.ndarray], rest: int = 0) -> list[str]:
    """Outputs that the part alone, in Amaranth's simulator, does not give as recorded, after so many cycles at rest."""
    given = {name: values(part, name, rows) for name, rows in ports.items()}
    wrong: set[str] = set()

    async def bench(ctx: SimulatorContext) -> None:
        for cycle in range(-rest, len(next(iter(given.values())))):
            for name in part.inputs:
                ctx.set(part.ports[name], given[name][max(cycle, 0)])
            if cycle >= 0:
                wrong.update(name for name in part.outputs if ctx.get(part.ports[name]) != given[name][cycle])
            await ctx.delay(1e-6)

    simulator = Simulator(part)
    simulator.add_clock(1e-6, phase=0.9e-6, if_exists=True)  # table builders have no clock
    simulator.add_testbench(bench)
    simulator.run()
    return sorted(wrong)


@pytest.mark.parametrize("name", MACHINES)
def test_a_part_alone_does_what_it_did_in_the_machine(name: str) -> None:
    _, parts, seen = recorded(MACHINES[name])
    assert {"array", "accumulators", "finisher", "control", "gather", "way"} <= set(parts)
    for block, part in parts.items():
        assert part.outputs, block
        assert differences(part, seen.ports[block], BLOCKS[block].rest) == [], block


def test_another_recording_is_noticed() -> None:
    _, parts, seen = recorded(LOOKUP)
    ports = {name: rows.copy() for name, rows in seen.ports["encoder"].items()}
    ports["data"] ^= 0xFF
    assert differences(parts["encoder"], ports) == ["o"]


def test_memories_of_a_part_are_its_registers_or_ports() -> None:
    design = Design(Machine(LOOKUP))
    accumulators = BLOCKS["accumulators"].part(design)
    assert {"read__data"} <= set(accumulators.inputs)
    assert {"read__addr", "write__addr", "write__data", "write__en"} <= set(accumulators.outputs)
    inside = design.part(["core.accumulator"])
    assert not any("read__" in name or "write__" in name for name in inside.ports)
    ways = BLOCKS["way"].part(design)
    assert [name for name, _ in ways.fragments] == ["activations", "core", "front"]
    assert not any(fragment.subfragments for _, fragment in ways.fragments)
    assert design.find("core.accumulator.nothing") is None
    with pytest.raises(ValueError, match=r"^the machine must have a module core\.nothing$"):
        design.part(["core.nothing"])
    with pytest.raises(ValueError, match=r"^the machine must have a merged multipliers \("):
        BLOCKS["products"].part(design)


def test_burnt_in_tables_answer_as_writable_ones() -> None:
    array = LOOKUP
    found, array = workload(array, "tile")
    design, program = Design(Machine(array)), compile_network(found.network, array)
    block = BLOCKS["burnt-tables"]
    ports = record(design, {"rows": block.part(design)}, program, found.inputs).ports["rows"]
    burnt = block.burn(design, ports)
    assert differences(burnt, {name: ports[name] for name in burnt.ports}) == []
    assert not any(path.endswith("table") for path in design.paths)
    twice = {**ports, "row_0_write_bank": np.ones_like(ports["row_0_write_bank"])}
    with pytest.raises(ValueError, match=r"^burnt-in tables must be loaded once, not in both banks$"):
        block.burn(design, twice)
