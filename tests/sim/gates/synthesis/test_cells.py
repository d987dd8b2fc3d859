"""lutra_sim.gates.synthesis: adders, latches and trees of the library; libraries and settings that will not do."""

from pathlib import Path

import pytest

from lutra_sim.gates import liberty
from lutra_sim.gates.synthesis import synthesise
from tests.sim.gates.circuits import TOY, toy
from tests.sim.gates.synthesis.agreement import PERIOD, agrees
from tests.sim.gates.synthesis.components import COMPONENTS


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
