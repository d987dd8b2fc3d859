"""FIGLUT's tables in Amaranth's own simulator: both forms select the same sums."""

import numpy as np
import pytest
from amaranth.sim import Simulator

from lutra_reports.studies.figlut_cells import Table, inputs


@pytest.mark.parametrize("half", [False, True])
def test_readers_select_signed_sums(half: bool) -> None:
    table, found = Table(half=half, readers=3), list[list[int]]()
    ports, wanted = inputs(half, 3, seed=5)

    async def bench(context) -> None:  # type: ignore[no-untyped-def]
        for cycle in range(len(ports["t_0"])):
            for name, values in ports.items():
                context.set(getattr(table, name), int(values[cycle]))
            found.append([context.get(getattr(table, f"o_{n}")) + (context.get(getattr(table, f"s_{n}")) if half else 0)
                          for n in range(3)])
            await context.tick()

    simulator = Simulator(table)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    np.testing.assert_array_equal(found[2:], wanted)
