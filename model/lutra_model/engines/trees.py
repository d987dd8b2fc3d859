"""Decision-tree encoders of the lookup engine: one comparison a level (MADDNESS; Stella Nera, Schönleber et al.)."""

from ..codings import Tree
from ..params import Array, Layer
from .base import Counts, Draw, Example, Parts, log2, rectangles

__all__ = ["codebook_bits", "events", "example", "hold", "levels", "parts", "registers", "stages", "words"]


def levels(array: Array) -> int:
    """Comparisons of a sub-vector."""
    return log2(array.entries)


def codebook_bits(array: Array) -> int:
    """Bits of a tree: a threshold at each inner node, and the number of the scalar that each level compares."""
    return 8 * (array.entries - 1) + levels(array) * log2(array.length)


def words(array: Array) -> int:
    """Bytes that carry a tree, one after the other."""
    return -(-codebook_bits(array) // 8)


def stages(array: Array) -> int:
    """Sub-vector register, the scalars that are compared, then one for each level."""
    return 2 + levels(array)


def hold(array: Array) -> int:
    """The deepest level takes its thresholds so many cycles after the slot's first sub-vector came."""
    return levels(array)


def registers(array: Array) -> int:
    """Sub-vector; the scalars that the levels still to come compare; the index so far."""
    depth = levels(array)
    return 8 * array.length + 8 * depth * (depth + 1) // 2 + depth * (depth + 1) // 2


def events(layer: Layer, array: Array) -> Counts:
    """One comparison of 8 bits a level, the choice of its scalar and of its threshold; nothing else."""
    encodes, depth = layer.rows * layer.codebooks, log2(layer.entries)
    chosen = depth * (layer.length - 1) + layer.entries - 1 - depth
    return {"compares": encodes * depth, "encoder_compare_bits": encodes * depth * 8,
            "encoder_mux_bits": encodes * chosen * 8}


def parts(array: Array) -> Parts:
    """One comparator a level, multiplexers before it, registers."""
    depth = levels(array)
    chosen = depth * (array.length - 1) + array.entries - 1 - depth
    return {"compare": depth * 8, "mux": chosen * 8, "register": registers(array) + 2 * codebook_bits(array)}


def example(array: Array, reduction: int, kernel: tuple[int, int], columns: int, draw: Draw) -> Example:
    """See `Engine.example`."""
    fits = rectangles(kernel, array.length)
    length = fits[draw.integer(0, len(fits) - 1)] if draw.integer(0, 3) == 0 else fits[-1]
    codebooks, entries = -(-reduction // length), 1 << draw.integer(1, levels(array))
    thresholds = draw.encoder(codebooks, entries - 1)
    dims = draw.cells(codebooks, log2(entries)).view("uint8") % length
    return Example(draw.cells(codebooks, entries, columns), Tree(dims, thresholds, length))
