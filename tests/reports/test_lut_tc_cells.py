"""LUT Tensor Core's units in Amaranth's own simulator against sums of products."""

from typing import Any

import numpy as np
import pytest
from amaranth.lib import wiring
from amaranth.sim import Simulator
from numpy.typing import NDArray

from lutra_reports.studies.lut_tc_cells import FORMS, LookupUnit, MacUnit, Unit, sums
from lutra_reports.studies.lut_tc_measure import lookup_inputs, mac_inputs

UNITS = [Unit(form=form, columns=3, bits=bits, group=group) for form in FORMS
         for bits, group in ((1, 4), (2, 4), (4, 3), (8, 2))]


def simulated(unit: wiring.Component, columns: int, ports: dict[str, NDArray[Any]]) -> NDArray[np.int64]:
    found = list[list[int]]()

    async def bench(context) -> None:  # type: ignore[no-untyped-def]
        for cycle in range(len(ports["clear"])):
            for name, values in ports.items():
                context.set(getattr(unit, name), int(values[cycle]))
            found.append([context.get(getattr(unit, f"o_{n}")) for n in range(columns)])
            await context.tick()

    simulator = Simulator(unit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return np.array(found)


@pytest.mark.parametrize("unit", UNITS, ids=str)
def test_lookup_units_sum_products(unit: Unit) -> None:
    ports, cycles, totals = lookup_inputs(unit, "random", seed=3)
    np.testing.assert_array_equal(simulated(LookupUnit(unit), 3, ports)[cycles + 2], totals)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_multiplying_units_sum_products(bits: int) -> None:
    ports, cycles, totals = mac_inputs(bits, 3, "network-like", seed=4)
    np.testing.assert_array_equal(simulated(MacUnit(bits, 3), 3, ports)[cycles + 2], totals)


def test_half_table_of_the_paper() -> None:
    """Entries 0 to 7 of a = [3, -5, 7, 2] with the last weight negative, worked out by hand."""
    half = sums(np.array([[3, -5, 7, 2]]), whole=False)[0]
    assert half.tolist() == [-7, -1, -17, -11, 7, 13, -3, 3]
    whole = sums(np.array([[3, -5, 7, 2]]), whole=True)[0]
    assert whole.tolist() == [*half, *(-half[::-1])]
