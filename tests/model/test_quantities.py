"""model.quantities, model.parts: what is counted before any price."""

from dataclasses import replace

import pytest

from lutra_model.area import area_um2
from lutra_model.components import OWN_AREAS, OWN_ENERGIES
from lutra_model.counting import count
from lutra_model.energy import bill
from lutra_model.entries import Activity, Entry
from lutra_model.events import Events
from lutra_model.latency import network_latency
from lutra_model.params import Array, Layer, Metric
from lutra_model.parts import clock_gates, clock_words, parts
from lutra_model.quantities import quantities
from lutra_model.structure import Structure
from lutra_model.technology import Technology, builtin
from lutra_model.tiling import product

SHAPE = Layer(rows=100, codebooks=20, columns=40)
PLANES = Layer(rows=100, codebooks=45, columns=40, length=4, entries=4, engine="lut-tc", runs=True, blank=False)
LEVELS = Layer(rows=100, codebooks=180, columns=40, length=1, engine="dln-row")
TRITS = Layer(rows=100, codebooks=60, columns=40, length=3, entries=1, engine="vec-lut", runs=True)
CASES = {
    **{str(metric): (Array(metric=metric, functions=8), SHAPE) for metric in Metric},
    "gathering": (Array(gather=True, fill=8), SHAPE), "mac": (Array.mac(), SHAPE.as_dense()),
    "lut-tc": (Array(engine="lut-tc", length=4, entries=4), PLANES),
    "dln-row": (Array(engine="dln-row", length=1, weight_levels=16), LEVELS),
    "vec-lut": (Array(engine="vec-lut", length=3, entries=1), TRITS)}
EVERYTHING = Events(**{name: 1 << 16 for name in vars(Events()) if name != "dram"})


def work(case: str) -> tuple[Events, int, Structure]:
    array, layer = CASES[case]
    operation = product(layer, layer.reduction, array)
    return count(operation, array, layer), network_latency([operation], array).cycles, Structure(array)


def with_entries(technology: Technology, **entries: Entry) -> Technology:
    return replace(technology, entries={**technology.entries, **{
        name.replace("__", "."): entry for name, entry in entries.items()}})


@pytest.mark.parametrize("case", CASES)
def test_the_clock_reaches_every_gate_in_every_cycle(case: str) -> None:
    events, cycles, structure = work(case)
    clocked = sum(item.amount for item in quantities(events, cycles, structure) if item.entry == "clock")
    assert clocked == cycles * sum(clock_words(structure).values())


def test_a_table_has_a_clock_gate_for_each_word_that_is_written_alone() -> None:
    for sizes, words in [({}, 32), ({"entries": 64}, 128), ({"rows": 32, "fill": 8}, 4 * 32), ({"columns": 64}, 32)]:
        array = Array(**{"fill": 0} | sizes)
        assert clock_words(Structure(array))["cells"] == words
    events, cycles, structure = work("l2")
    wires = {item.component: item.amount for item in quantities(events, cycles, structure) if item.entry == "wire"}
    assert wires == {"fill": events.table_writes * 8 * 32, "codebooks": events.codebook_read_bits * 16,
                     "accumulators": 100 * 2 * 3 * (3 * 10 + 8)}  # of 100 rows, 6 tiles


def test_registers_without_a_gate_by_hand() -> None:
    """Of a 16 x 16 lookup array: 9 lanes, 16 banks of 512 words of 32 bits, table beats of 2048, indices of 4 bits."""
    structure = Structure(Array())
    gates, words = clock_gates(structure), clock_words(structure)
    assert words["gather"] - gates["gather"] == 9 * 3 * (4 + 1) + 16 * (9 + 1) + (32 + 4 * 8 + 8)
    assert structure.gather_registers == words["gather"] - gates["gather"] + 9 * (17 + 1 + 32)
    assert words["accumulators"] - gates["accumulators"] == 16 * 17 + 3 * 10 + 8
    data = 2048 + 16 * 4 + 16 * 32 + 2 * 16 * 8
    beside = 9 * 32 + 13 * (12 + 2 + 2) + (6 + 2 + 1) * (10 + 3) + 100  # where results, symbols and sums belong
    assert words["way"] - gates["way"] == data + beside
    assert structure.way_registers == data + beside + 16 * 32
    assert words["cells"] == gates["cells"]


def test_a_fed_row_passes_a_register_of_every_lane_whatever_it_reads() -> None:
    """Of 100 rows of 20 codebooks of 9 scalars by 4 encoders: 5 passes of 9 lanes, words of 4 bytes."""
    events, _, structure = work("l2")
    fed = 100 * 5 * 9 * (1 + 32)
    assert events.gather_register_bits == events.address_bits + fed
    assert structure.lane_registers == 9 * (1 + 32)


def test_tables_of_an_online_machine_are_powers_of_two_and_what_lies_beside_is_apart() -> None:
    """Groups of 4 ternary weights: 40 entries and zero in 64 words, two banks; transposer, code words, parameters."""
    array = Array(engine="vec-lut", rows=4, columns=2, encoders=2, length=4, entries=1)
    cell, beside = (made(Structure(array)) for made in (array.cell.cell_parts, array.cell.beside_parts))
    assert cell["register"] == 2 * 64 * 11 + 11 + 4 * 8
    assert beside["mux"] == 8 * 2 * 1
    assert array.cell.cell_words(array) == 2 * 64 * 2


def test_merged_products_are_as_deep_as_rows_are_doubled() -> None:
    """180 scalars in 16 rows: eleven tiles of 16, one of 4; of 100 rows and 40 columns, products of 64 bits."""
    events, _, _ = work("mac")
    assert events.tree_deep_bits == 100 * 40 * 64 * (11 * 16 * 4 + 4 * 2)


def test_a_vector_machine_has_no_register_before_its_cells() -> None:
    events, _, structure = work("vec-lut")
    passed = {item.amount for item in quantities(events, 1, structure) if item[:2] == ("way", "register")}
    assert passed == {events.gather_read_bits + events.activation_write_bits}


def test_a_tree_that_is_loaded_moves_byte_by_byte() -> None:
    """15 thresholds and 4 numbers of one of 9 scalars: 17 bytes, in whose registers each byte moves on the others."""
    events, cycles, structure = work("tree")
    found = {item[:2]: item.amount for item in quantities(events, cycles, structure)}
    assert found["codebooks", "register"] == 17 * events.codebook_read_bits
    assert ("codebooks", "wire") not in found
    assert events.dram.codebooks == 20 * 17 * 8


def test_every_price_of_a_components_own_is_asked_for_and_no_other() -> None:
    """An entry that prices nothing would be accepted in a file and do nothing."""
    structures = [Structure(array) for array, _ in CASES.values()]
    energies = {(item.component, item.entry) for structure in structures
                for item in quantities(EVERYTHING, 1, structure)}
    areas = {(item.component, item.entry) for structure in structures for item in parts(structure)}
    for own, found, shared in [(OWN_ENERGIES, energies, ("sram_read", "sram_write", "dram", "logic_leakage",
                                                         "sram_leakage")), (OWN_AREAS, areas, ("sram",))]:
        expected = {(component, entry) for component, entries in own.items() for entry in entries}
        assert {pair for pair in found if pair[1] not in shared} == expected


@pytest.mark.parametrize("case", ["l2", "mac"])
def test_an_own_price_moves_its_component_alone(case: str) -> None:
    events, cycles, structure = work(case)
    plain = builtin("horowitz-45")
    dear = with_entries(plain, finisher__add=replace(plain.entries["add"], value=1.0),
                        finisher__add_area=replace(plain.entries["add_area"], value=100.0))
    before, after = (bill(events, cycles, structure, item).components for item in (plain, dear))
    amount = sum(item.amount for item in quantities(events, cycles, structure) if item[:2] == ("finisher", "add"))
    assert after["finisher"] - before["finisher"] == pytest.approx(amount * (1 - plain.price("add")))
    assert {name for name in before if before[name] != after[name]} == {"finisher", "leakage"}
    small, large = (area_um2(structure, item) for item in (plain, dear))
    assert {name for name in small if small[name] != large[name]} == {"finisher"}


def test_toggles_move_only_prices_that_follow_them() -> None:
    events, cycles, structure = work("l2")
    plain = builtin("horowitz-45")
    moved = with_entries(plain, encoder__add=replace(
        plain.entries["add"], activity=Activity(idle=plain.price("add") / 2, rate=0.5)))
    usual, quiet, other = (bill(events, cycles, structure, moved, toggles)
                           for toggles in (None, {"encoder": 0.0}, {"cells": 0.0}))
    assert quiet.entries["encoder.add"] == pytest.approx(usual.entries["encoder.add"] / 2)
    assert usual.picojoules - quiet.picojoules == pytest.approx(quiet.entries["encoder.add"])
    assert other == usual == bill(events, cycles, structure, moved, {"encoder": 0.5})


def test_an_own_price_errs_with_the_general_one() -> None:
    events, cycles, structure = work("l2")
    plain = builtin("horowitz-45")
    same = with_entries(plain, encoder__add=plain.entries["add"])
    one, two = (bill(events, cycles, structure, item) for item in (plain, same))
    assert two.range() == pytest.approx(one.range(), rel=1e-12)
