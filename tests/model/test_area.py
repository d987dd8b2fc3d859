"""model.area: sums, sizes by hand, monotonicity."""

import pytest

from lutra_model.area import area_um2, logic_area_um2
from lutra_model.components import AREA_COMPONENTS
from lutra_model.params import Array
from lutra_model.parts import memory_bits
from lutra_model.structure import Number, Structure
from lutra_model.technology import NAMES, builtin

LOOKUP, MAC = Array(), Array.mac()


def test_memory_sizes_by_hand() -> None:
    assert memory_bits(Structure(LOOKUP)) == {
        "activations": (512, 2 * 16 * 4 * 8), "tables": (1024, 16 * 16 * 8), "codebooks": (1024, 4 * 9 * 8),
        "program": (1024, 32), "index": (2048, 2 * 64), "accumulators": (1024, 16 * 17)}
    assert memory_bits(Structure(MAC))["index"] == (4608, 2 * 16 * 8)
    assert memory_bits(Structure(MAC))["codebooks"] == (1024, 0)
    assert memory_bits(Structure(MAC, Number.FP32))["activations"] == (512, 2 * 16 * 4 * 32)


def test_every_bit_of_memory_is_charged() -> None:
    """Two sides of 8,192 words of 4 bytes, whatever the banks."""
    for array in (LOOKUP, LOOKUP.resized(encoders=16), MAC):
        words, width = memory_bits(Structure(array))["activations"]
        assert words * width == 2 * 8192 * array.word * 8


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("array", "number"), [(LOOKUP, Number.INT8), (MAC, Number.INT8), (MAC, Number.FP16),
                                          (MAC, Number.FP32)], ids=["lookup", "int8", "fp16", "fp32"])
def test_components(name: str, array: Array, number: Number) -> None:
    areas = area_um2(Structure(array, number), builtin(name))
    assert tuple(areas) == AREA_COMPONENTS
    assert min(areas.values()) >= 0
    assert 0 < logic_area_um2(Structure(array, number), builtin(name)) < sum(areas.values())


@pytest.mark.parametrize("name", NAMES)
def test_wider_numbers_and_more_cells_are_larger(name: str) -> None:
    technology = builtin(name)
    totals = [sum(area_um2(Structure(MAC, number), technology).values()) for number in Number]
    assert totals == sorted(totals)
    for array in (LOOKUP, MAC):
        before = area_um2(Structure(array), technology)
        for sizes in ({"rows": 32}, {"columns": 32}):
            assert area_um2(Structure(array.resized(**sizes)), technology)["cells"] == pytest.approx(
                2 * before["cells"], rel=2e-3)  # clock gates serve all columns


def test_a_table_cell_by_hand() -> None:
    """Two banks of 16 bytes in flip-flops of 5.98 um2, and 15 multiplexers for each of 8 bits, of 1.86 um2."""
    areas = area_um2(Structure(LOOKUP), builtin("horowitz-45"))
    assert areas["cells"] == pytest.approx(256 * (2 * 128 * 5.98 + 15 * 8 * 1.86))
