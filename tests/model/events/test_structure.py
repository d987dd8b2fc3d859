"""model.structure: widths and registers by hand."""

from dataclasses import replace

import pytest

from lutra_model.engines.lookup import distance_bits
from lutra_model.params import Array, Metric
from lutra_model.structure import Number, Structure, reduction_bits
from tests.model.events.sizes import SMALL


@pytest.mark.parametrize(("operands", "width", "bits"), [(1, 8, 0), (2, 8, 9), (3, 8, 19), (4, 8, 28), (5, 8, 39)])
def test_reduction_bits(operands: int, width: int, bits: int) -> None:
    assert reduction_bits(operands, width) == bits


@pytest.mark.parametrize(("metric", "bits"), [(Metric.L2, 20), (Metric.L1, 12), (Metric.CHEBYSHEV, 8)])
def test_distance_widths_are_those_of_the_arithmetic_rules(metric: Metric, bits: int) -> None:
    assert distance_bits(Array(metric=metric)) == bits


def test_a_lookup_array_computes_in_int8() -> None:
    with pytest.raises(ValueError, match=r"^a lookup array must compute in int8, not fp16$"):
        Structure(Array(), Number.FP16)


@pytest.mark.parametrize(("metric", "lane", "total"), [(Metric.L2, 16, 20), (Metric.L1, 8, 12),
                                                       (Metric.CHEBYSHEV, 8, 8)])
def test_registers_by_hand(metric: Metric, lane: int, total: int) -> None:
    """The stages of the encoder and of a 16 x 16 lookup array, register by register."""
    structure = Structure(Array(metric=metric))
    tree = 8 * (total + 1) + 4 * (total + 2) + 2 * (total + 3) + total + 4
    assert structure.encode_registers == 9 * 8 + 16 * 9 * lane + 16 * total + tree
    assert structure.array.cell.codebook_registers(structure.array) == 2 * 16 * 9 * 8
    assert structure.issue_registers == 16 * (16 * 8 + 4 * 10 + 12)
    assert structure.accumulator_registers == 16 * (17 + 17)


def test_registers_of_a_mac_array_by_hand() -> None:
    """16 activations; for each column two carry-save words, their sum (20 bits), and the accumulator (29)."""
    assert Structure(Array.mac()).issue_registers == 16 * 8 + 16 * 3 * 20
    assert Array.mac().cell.codebook_registers(Array.mac()) == 0


def test_registers_of_the_finisher_by_hand() -> None:
    """Sum and bias, multiplier; two products, shift; their sum, shift; what whole bytes leave (10 bits, 7 more, 2
    flags) and 3 bits of shift; shifted; result; output buffer.
    """
    partial = (17 + 1 + 16) + (33 - 17 + 1 + 16)
    assert Structure(Array()).finish_registers == (33 + 16) + (partial + 6) + (49 + 6) + (10 + 7 + 2 + 3) + 10 + 8 + 8


@pytest.mark.parametrize(("metric", "bits", "codebook"), [
    (Metric.TREE, 5 * 8 + (3 + 2 + 1) * 8 + 1 + 2 + 3, 2 * (7 * 8 + 3 * 3)), (Metric.L2, None, 2 * 8 * 5 * 8)])
def test_tree_registers_by_hand(metric: Metric, bits: int | None, codebook: int) -> None:
    array = replace(SMALL, metric=metric, entries=8)
    assert array.cell.codebook_registers(array) == codebook
    assert bits in (None, array.cell.encode_registers(array))
