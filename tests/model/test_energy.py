"""model.energy: bills by hand, sums, ranges."""

from dataclasses import replace
from typing import Any

import pytest

from lutra_model.counting import count
from lutra_model.energy import COMPONENTS, Bill, Charge, bill, ratio_range
from lutra_model.entries import MACROS, OPTIONAL, Entry
from lutra_model.latency import network_latency
from lutra_model.layout import packed
from lutra_model.params import DISTANCES, Array, Layer, Metric
from lutra_model.structure import Number, Structure
from lutra_model.technology import NAMES, Technology, builtin
from lutra_model.tiling import Addend, product

LOOKUP, MAC = Array(), Array.mac()
LAYER = Layer(rows=100, codebooks=20, columns=40)


def priced(array: Array, technology: Technology, number: Number = Number.INT8, layer: Layer = LAYER,
           **options: Any) -> Bill:
    layer = layer if array.is_lookup else layer.as_dense()
    operation = product(layer, layer.reduction, array, **options)
    return bill(count(operation, array, layer, number=number), network_latency([operation], array).cycles,
                Structure(array, number), technology)


def unit_technology(**prices: float) -> Technology:
    """Everything is free but the named entries; a memory bit costs its price divided by 64."""
    entries = {}
    for name, entry in builtin("horowitz-45").entries.items():
        value = prices.get(name, 0.0)
        points = tuple((size, max(value, 1e-300)) for size in (512.0, 1e9))
        entries[name] = replace(entry, value=points if name in MACROS else value)
    return Technology("unit", "unit", "none", entries)


def test_a_lookup_layer_by_hand() -> None:
    """2 rows, 3 codebooks of 9, 2 columns on a 16 x 16 array: each price alone is its count.

    Words hold 4 channels, so a row of 27 scalars gathers 7 of 9 lanes from 16 banks; addresses have 17 bits. Results
    (a word for each row) turn to their banks in 4 steps.
    """
    layer = Layer(rows=2, codebooks=3, columns=2)
    steps = 2 * 3 * 16 * 9
    sums = 2 * 3 * 16 * (4 * 17 + 2 * 18 + 19 + 20)  # nine squares of 16 bits: 9, 5, 3, 2, 1
    tree = 2 * 2 * (9 + 10)
    compared = 2 * 3 * 15 * 20
    gathered, codebook, tables, program = 2 * 7 * 32, 16 * 4 * 9 * 8, 17 * 256 * 8, (28 + 9) * 32
    for prices, expected in [
            ({"add": 1.0}, 9 * steps + sums + tree + 2 * 2 * (33 + 33 + 10) + 2 * 7 * 17),
            ({"multiply": 1.0}, 81 / 64 * steps + 2 * 2 * 33 * 16 / 64),
            ({"compare": 1.0}, compared + 2 * 2 * 2 * 10),
            ({"mux": 1.0}, compared + 2 * 3 * 2 * 15 * 8 + 2 * 2 * (7 * 19 + 3 * 17) + 15 * gathered + 4 * 2 * 32),
            ({"dram": 1.0}, 3 * 16 * 9 * 8 + 3 * 16 * 2 * 8 + 2 * 7 * 8 + program),
            ({"sram_read": 64.0}, gathered + codebook + tables + program + 2 * 16 * 4),
            ({"sram_write": 64.0}, 2 * 32 + codebook + tables + program + 2 * 16 * 4)]:
        assert priced(LOOKUP, unit_technology(**prices), layer=layer).picojoules == pytest.approx(expected, rel=1e-12)


def test_a_mac_layer_by_hand() -> None:
    """2 rows, reduction 27, 2 columns on a 16 x 16 array: two row tiles, of 16 and 11; words of 4, 9 lanes."""
    layer = Layer(rows=2, codebooks=3, columns=2)
    tree = (8 * 17 + 4 * 18 + 2 * 19 + 20) + (5 * 17 + 3 * 18 + 19 + 20)
    accumulators = 2 * 1 * 16 * (16 + 13)  # rows, passes, columns, bits for 4608 products
    gathered, tables, program = 2 * 7 * 32, 3 * 256 * 8, (28 + 9) * 32
    for prices, expected in [
            ({"multiply": 1.0}, 2 * 27 * 2 + 2 * 2 * 33 * 16 / 64),
            ({"add": 1.0}, 2 * 2 * tree + 2 * 2 * 29 + 2 * 2 * (33 + 33 + 10) + 2 * 7 * 17),
            ({"sram_read": 64.0}, 2 * 2 * 16 * 8 + accumulators + gathered + tables + program),
            ({"compare": 1.0}, 2 * 2 * 2 * 10), ({"mux": 1.0}, 2 * 2 * (7 * 19 + 3 * 17) + 15 * gathered + 4 * 2 * 32)]:
        assert priced(MAC, unit_technology(**prices), layer=layer).picojoules == pytest.approx(expected, rel=1e-12)


def test_a_residual_by_hand() -> None:
    """8 outputs more: two products of 16 x 8 bits, a sum and a rounding of 26 bits, a shift in two; 4 words read."""
    layer = Layer(rows=4, codebooks=3, columns=2)
    addend = Addend(source=packed(1, 4, 2, LOOKUP, side=1), own_factor=1, factor=1, shift=1)
    for prices, expected in [({"multiply": 1.0}, 8 * 4), ({"add": 1.0}, 8 * 52), ({"mux": 1.0}, 8 * (3 * 19 + 3 * 17)),
                             ({"sram_read": 64.0}, 4 * 32)]:
        plain, added = (priced(LOOKUP, unit_technology(**prices), layer=layer, addend=item).picojoules
                        for item in (None, addend))
        assert added - plain == pytest.approx(expected)


@pytest.mark.parametrize(("number", "multiply", "add"), [(Number.FP16, "fp16_multiply", "fp16_add"),
                                                 (Number.FP32, "fp32_multiply", "fp32_add")])
def test_a_float_layer_by_hand(number: Number, multiply: str, add: str) -> None:
    layer = Layer(rows=2, codebooks=3, columns=2)
    products = priced(MAC, unit_technology(**{multiply: 1.0}), number, layer).picojoules
    assert products == pytest.approx(2 * 27 * 2)
    tree = 2 * 2 * (27 - 2)
    wide = 2 * 2 * 1 + 2 * 2  # one accumulation, one bias, in FP32
    sums = priced(MAC, unit_technology(**{add: 1.0}), number, layer).picojoules
    assert sums == pytest.approx(tree + wide if number is Number.FP32 else tree)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("metric", DISTANCES)
def test_components_sum_to_the_total(name: str, metric: Metric) -> None:
    for array, number in [(LOOKUP.resized(metric=metric), Number.INT8), (MAC, Number.INT8), (MAC, Number.FP16)]:
        found = priced(array, builtin(name), number)
        assert tuple(found.components) == COMPONENTS
        assert sum(found.components.values()) == pytest.approx(found.picojoules, rel=1e-12)
        assert sum(found.entries.values()) == pytest.approx(found.picojoules, rel=1e-12)
        assert found.on_chip.picojoules == pytest.approx(found.picojoules - found.components["dram"], rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_a_dearer_entry_never_makes_a_layer_cheaper(name: str) -> None:
    technology = builtin(name)
    before = {array: priced(array, technology).picojoules for array in (LOOKUP, MAC)}
    for changed, entry in technology.entries.items():
        if changed in OPTIONAL or isinstance(entry.value, tuple):
            continue
        dearer = Technology(name, name, "", {**technology.entries, changed: replace(entry, value=entry.value * 2)})
        for array, energy in before.items():
            assert priced(array, dearer).picojoules >= energy


@pytest.mark.parametrize("sizes", [{"rows": 200}, {"codebooks": 40}, {"columns": 80}])
def test_a_larger_layer_costs_more(sizes: dict[str, int]) -> None:
    technology = builtin("horowitz-45")
    larger = Layer(**{"rows": 100, "codebooks": 20, "columns": 40, **sizes})
    for array in (LOOKUP, MAC):
        assert priced(array, technology, layer=larger).picojoules > priced(array, technology).picojoules


@pytest.mark.parametrize("name", NAMES)
def test_cheaper_encoders_and_narrower_numbers_cost_less(name: str) -> None:
    technology = builtin(name)
    l2, l1 = (priced(LOOKUP.resized(metric=metric), technology).components["encoder"]
              for metric in (Metric.L2, Metric.L1))
    assert l1 < l2
    int8, fp16, fp32 = (priced(MAC, technology, number).picojoules for number in Number)
    assert int8 < fp16 < fp32


def test_encoding_breaks_even_where_the_arithmetic_says() -> None:
    """L2 distances alone, in Horowitz's prices: 16 x 9 x about 0.3 pJ for a sub-vector of 9."""
    layer = Layer(rows=1, codebooks=1, columns=1)
    prices = {name: builtin("horowitz-45").price(name) for name in ("add", "multiply")}
    encoder = priced(LOOKUP, unit_technology(**prices), layer=layer).components["encoder"]
    assert encoder == pytest.approx(16 * 9 * 0.3, rel=0.2)


def test_a_range_adds_entries_in_quadrature() -> None:
    found = Bill((Charge("cells", "a", 30.0), Charge("adds", "b", 40.0)), (("a", 0.1), ("b", 0.1)))
    assert found.range() == pytest.approx((65.0, 75.0))


def test_a_shared_entry_does_not_move_a_ratio() -> None:
    part = Bill((Charge("dram", "a", 10.0),), (("a", 0.5), ("b", 0.5)))
    assert ratio_range(part, Bill((Charge("dram", "a", 20.0),), part.uncertainties)) == pytest.approx((0.5, 0.5))
    other = Bill((Charge("cells", "b", 20.0),), part.uncertainties)
    low, high = ratio_range(part, other)
    assert low < 0.25 + 1e-9 < 0.5 < 1.0 <= high + 1e-9


def test_an_entry_without_points_has_one_price() -> None:
    entry = Entry(value=2.0, unit="pJ", source="hand", status="measured", uncertainty=0.0)
    with pytest.raises(AssertionError):
        entry.at(512)
