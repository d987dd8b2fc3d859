"""Kinds of encoder and cell. A new kind is a class of its own here, and its hardware in `lutra_hw.engines`."""

from .base import Counts, Draw, Engine, Example, Parts, log2, over_tiles, rectangles, reduction_bits
from .bit_planes import Planes
from .dln import DlnColumn, DlnRow
from .lookup import Lookup
from .mac import Mac
from .sign_flip import SignFlips
from .vec_lut import VecLut

__all__ = ["ENGINES", "Counts", "Draw", "Engine", "Example", "Parts", "engine_of", "log2", "over_tiles", "rectangles",
           "reduction_bits"]

ENGINES: dict[str, Engine] = {engine.name: engine for engine in (
    Lookup(), Planes(), DlnRow(), DlnColumn(), VecLut(), Mac(), SignFlips())}


def engine_of(name: str) -> Engine:
    """The engine of that name; ``ValueError`` for an unknown one."""
    if name not in ENGINES:
        raise ValueError(f"engine must be {', '.join(ENGINES)}, not {name}")
    return ENGINES[name]
