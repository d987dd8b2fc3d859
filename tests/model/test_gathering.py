"""model.gathering against counts by hand and the published bytes of a dense multiplication's worth."""

import numpy as np
import pytest

from lutra_model.gathering import expected_entries, gathered_bits, selected_entries
from lutra_model.params import Layer


@pytest.mark.parametrize(("rows", "bytes_each"), [(1, 0.11), (196, 0.009)])
def test_bytes_of_each_dense_product(rows: int, bytes_each: float) -> None:
    """16 entries, sub-vectors of 9: 0.11 bytes at one row, 0.009 at 196, where the whole table takes 1.78 and 0.009."""
    layer = Layer(rows=rows, codebooks=100, columns=64, length=9, entries=16)
    assert gathered_bits(layer) / 8 / layer.macs == pytest.approx(bytes_each, rel=0.02)
    assert layer.codebooks * 16 * layer.columns / layer.macs == pytest.approx(16 / 9 / rows)


@pytest.mark.parametrize(("entries", "rows"), [(2, 1), (16, 1), (16, 5), (16, 100), (256, 30)])
def test_expectation_is_the_mean_of_drawn_indices(entries: int, rows: int) -> None:
    codes = np.random.default_rng((entries, rows)).integers(0, entries, (4000, rows)).astype(np.uint8)
    assert selected_entries(codes) / 4000 == pytest.approx(expected_entries(entries, rows), rel=0.01)


def test_entries_are_counted_once_in_a_block() -> None:
    codes = np.array([[0, 0, 1, 0, 1, 1], [3, 3, 3, 3, 3, 3]], np.uint8)
    assert selected_entries(codes) == 3
    assert selected_entries(codes, block=2) == (1 + 2 + 1) + 3
    assert gathered_bits(Layer(rows=6, codebooks=2, columns=5, length=1, entries=4), selected=3) == 3 * 5 * 8
