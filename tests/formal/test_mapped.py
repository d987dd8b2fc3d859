"""Components after synthesis equal themselves before it; a wrong cell is found."""

import re
from collections.abc import Callable

import pytest
from amaranth.lib import wiring

from lutra_hw.adder_tree import AdderTree
from lutra_hw.board.packets import PacketWriter
from lutra_hw.credit import Credit
from lutra_hw.distance import Distance
from lutra_hw.output_buffer import OutputBuffer
from lutra_hw.product import CarryPair, Pair
from lutra_hw.table_row import TableRow
from lutra_model.params import Metric
from lutra_sim.formal import Disproved
from lutra_sim.formal.mapped import equal, equal_at_first, mapped

ALWAYS: dict[str, Callable[[], wiring.Component]] = {
    "credit": lambda: Credit(places=2),
    "adder tree of 5": lambda: AdderTree(inputs=5, width=8),
    "L1 distance of length 4": lambda: Distance(length=4, metric=Metric.L1),
    "packet writer": lambda: PacketWriter(2),
}
AT_FIRST: dict[str, Callable[[], wiring.Component]] = {
    "table cells, 4 entries": lambda: TableRow(entries=4, columns=1),
    "output buffer of 3": lambda: OutputBuffer(width=4, depth=3),
}


def planted(gates: str) -> str:
    """The netlist with its last cell of logic inverted."""
    *_, last = re.finditer(r"\.INIT\(16'h(\w+)\)", gates)
    wrong = f"{int(last[1], 16) ^ 0xffff:04x}"
    return gates[:last.start(1)] + wrong + gates[last.end(1):]


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] if name != "credit" else [])
                                  for name in ALWAYS])
def test_it_is_equal_for_ever(name: str) -> None:
    gates = mapped(ALWAYS[name]())
    equal(ALWAYS[name](), gates)
    with pytest.raises(Disproved):
        equal(ALWAYS[name](), planted(gates))


@pytest.mark.parametrize("negative", [False, True])
def test_carry_cells_are_their_portable_twin(negative: bool) -> None:
    gates = mapped(CarryPair(negative=negative))
    assert "CCU2C" in gates
    equal(Pair(negative=negative), gates)
    with pytest.raises(Disproved):
        equal(Pair(negative=not negative), gates)


@pytest.mark.parametrize("name", AT_FIRST)
def test_one_with_a_memory_is_equal_at_first(name: str) -> None:
    gates = mapped(AT_FIRST[name]())
    equal_at_first(AT_FIRST[name](), gates, steps=8)
    with pytest.raises(Disproved):
        equal_at_first(AT_FIRST[name](), planted(gates), steps=8)
