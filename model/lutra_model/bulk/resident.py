"""Blocks of products whose tables stay on the chip: those that take the fewest cycles, as `tiling` finds them."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..tiling import COUNTS, WORSE
from ..whole import least, up
from .cycles import Timer
from .designs import Designs, Operations, taken
from .shapes import Step, blocks

__all__ = ["fastest"]

TRIED = np.array(sorted({1, *COUNTS}))


def _alone(operation: Operations, designs: Designs, rows: int, size: Any) -> NDArray[np.int64]:
    """Cycles of a program of one product in blocks of such sizes."""
    (cycles,) = Timer(designs, len(designs)).cycles([replace(operation, **blocks(rows, size))], [0])
    return cycles


def fastest(step: Step, designs: Designs) -> Step:
    """A product in the blocks that take the fewest cycles, the fewer of those that tie.

    More blocks are tried as long as they are hardly slower than the best so far.
    """
    if step.layer is None:
        return step
    rows, operation = step.layer.rows, step.operation
    room = np.maximum(least(designs.block_rows, designs.index_words // operation.row_tiles), 1)
    fewest = np.broadcast_to(up(rows, np.minimum(room, rows)), len(designs))
    following = np.searchsorted(TRIED, fewest, "right")
    found = np.array(up(rows, fewest))
    best = np.array(_alone(operation, designs, rows, found))
    places = np.arange(len(designs))
    for offset in range(len(TRIED)):
        number = following[places] + offset
        places = places[(number < len(TRIED)) & (TRIED[np.minimum(number, len(TRIED) - 1)] <= rows)]
        if not len(places):
            break
        size = up(rows, TRIED[following[places] + offset])
        cycles = _alone(taken(operation, places), taken(designs, places), rows, size)
        better = cycles < best[places]
        best[places[better]], found[places[better]] = cycles[better], size[better]
        places = places[cycles <= WORSE * best[places]]
    return replace(step, operation=replace(operation, **blocks(rows, found)))
