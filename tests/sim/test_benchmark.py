"""lutra_sim.benchmark: the compiled machine against cocotb and Amaranth's simulator, all measured here and now."""

import pytest

from lutra_model.params import Array
from lutra_sim.benchmark import compare


@pytest.mark.slow
def test_the_compiled_machine_is_ten_times_as_fast() -> None:
    speeds = compare(Array(table_words=256, codebook_words=256, program_words=256, activation_words=512))
    for name in ("cocotb", "amaranth"):
        assert speeds["lead"][name] == speeds["cycles_per_s"]["compiled"] / speeds["cycles_per_s"][name]
        assert speeds["lead"][name] >= 10
