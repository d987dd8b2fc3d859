"""What an index-first gather reads where tables lie off the chip: only entries that some activation row selected."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from .params import Layer

__all__ = ["expected_entries", "gathered_bits", "selected_entries"]


def expected_entries(entries: int, rows: int) -> float:
    """Entries of one table that so many rows select, of indices drawn evenly: ``C (1 - (1 - 1 / C)^M)``."""
    return float(entries * (1 - (1 - 1 / entries) ** rows))


def selected_entries(codes: NDArray[np.uint8], block: int | None = None) -> int:
    """Entries that the rows of indices ``(codebooks, rows)`` select, each counted once in a block of so many rows.

    Without ``block``, all rows are one.
    """
    step = block or codes.shape[1]
    parts: Iterable[NDArray[np.uint8]] = (codes[:, start:start + step] for start in range(0, codes.shape[1], step))
    return sum(len(np.unique(row)) for part in parts for row in part)


def gathered_bits(layer: Layer, *, selected: float | None = None, entry_bits: int = 8) -> float:
    """Bits from memory for one layer: every selected entry of every column, once.

    ``selected`` is what :func:`selected_entries` counts; None: the expectation for indices drawn evenly. The
    table-stationary order reads ``codebooks * entries * columns`` entries whatever the rows.
    """
    chosen = layer.codebooks * expected_entries(layer.entries, layer.rows) if selected is None else selected
    return chosen * layer.columns * entry_bits
