"""lutra_sim.benchmark: the compiled machine against cocotb, both measured here and now."""

import pytest

from lutra_model.params import Array
from lutra_sim.benchmark import compare


@pytest.mark.slow
def test_the_compiled_machine_is_ten_times_as_fast() -> None:
    speeds = compare(Array())
    assert speeds["ratio"] == speeds["compiled_cycles_per_s"] / speeds["cocotb_cycles_per_s"]
    assert speeds["ratio"] >= 10
