"""Events of functions and row operations against naive walks; area and energy only where there are functions."""

from dataclasses import replace

import pytest

from lutra_model.area import area_um2
from lutra_model.counting import count
from lutra_model.energy import bill
from lutra_model.operation import Operation
from lutra_model.params import Array, Layer
from lutra_model.structure import Structure
from lutra_model.technology import builtin
from lutra_model.tiling import pool, product, row

ARRAY = Array(rows=4, columns=4, encoders=2, length=2, entries=4, word=2, block_rows=5, functions=3)
ROWS = [(1, 1), (7, 3), (12, 8), (5, 6)]  # pixels, channels


def walked(operation: Operation, array: Array) -> dict[str, int]:
    """One byte after the other, as docs/hardware.md orders the passes."""
    seen = dict.fromkeys(("words", "units", "comparators", "products", "beats"), 0)
    for rows in operation.block_sizes:
        for number in range(operation.parts_y):
            for word in range(operation.parts_x):
                seen["beats"] += not operation.maximum and number == 0
                for _ in range(rows):
                    seen["words"] += 1
                    for _ in range(array.word):
                        looked = operation.maximum and number > 0
                        seen["units"] += looked
                        seen["comparators"] += 8 * (operation.maximum and number == 0)
                        seen["products"] += (15 * 15 * (number == 2) if operation.maximum else
                                             64 if number == 0 else 96 + 300)
                    if number == operation.parts_y - 2 and word == operation.parts_x - 1:  # the row's factor
                        seen["units"] += 1
                        seen["products"] += 0 if operation.maximum else 12 * 27 + 19 * 19
    return seen


@pytest.mark.parametrize(("pixels", "channels"), ROWS)
@pytest.mark.parametrize("softmax", [True, False], ids=["softmax", "norm"])
def test_rows_equal_a_walk_over_all_bytes(pixels: int, channels: int, softmax: bool) -> None:
    plain = row("r", channels, ARRAY, softmax=softmax, width=pixels)
    operation = replace(plain, function=1, second=2 if softmax else 0)
    events, seen = count(operation, ARRAY), walked(operation, ARRAY)
    assert events.gather_read_bits == seen["words"] * 16
    assert events.function_multiply_bits == seen["products"] + 256 * seen["units"]
    assert events.function_compare_bits == seen["comparators"] + (15 * 16 + 34) * seen["units"]
    assert events.table_read_bits == seen["beats"] * -(-7 // 4) * ARRAY.fill * ARRAY.columns * 8
    assert events.finishes == pixels * operation.column_tiles * 2
    assert events.dram.parameters == (0 if softmax else 7 * 8 * channels)
    assert events.function_read_bits == (2 if softmax else 1) * 33 * 32
    assert count(operation, ARRAY, images=3).function_multiply_bits == 3 * events.function_multiply_bits


def test_a_finisher_with_a_function_looks_up_every_output() -> None:
    layer = Layer(rows=6, codebooks=3, columns=5, length=2, entries=4)
    plain = product(layer, layer.reduction, ARRAY)
    for bent, outputs in [(replace(plain, function=2), 30), (replace(pool("p", 3, ARRAY, width=6), function=1), 24)]:
        events = count(bent, ARRAY, layer if bent.name == "layer" else None)
        assert events.finishes == outputs
        assert events.function_multiply_bits == 256 * outputs
        assert events.function_add_bits == 33 * outputs
    assert count(plain, ARRAY, layer).function_multiply_bits == 0


def test_a_machine_without_functions_pays_nothing_for_them() -> None:
    technology, without = builtin("horowitz-45"), replace(ARRAY, functions=0)
    layer = Layer(rows=6, codebooks=3, columns=5, length=2, entries=4)
    areas = area_um2(Structure(without), technology)
    assert areas["functions"] == areas["slots"] == areas["rows"] == 0
    plain = product(layer, layer.reduction, ARRAY)
    assert bill(count(plain, without, layer), 10, Structure(without), technology).components["functions"] == 0
    more = area_um2(Structure(ARRAY), technology)
    assert more["functions"] > 0
    assert {name for name in areas if areas[name] != more[name]} == {
        "finisher", "functions", "slots", "rows"}  # the output buffer is as deep as the pipeline is longer
    bent = bill(count(replace(plain, function=1), ARRAY, layer), 10, Structure(ARRAY), technology)
    assert bent.components["functions"] > 0
