"""The engines that the project has, by name."""

from amaranth.hdl import Value

from lutra_model.params import Array

from .encoder import Encoder, PassThrough
from .engines import Engine, register
from .lookup_array import LookupArray
from .mac_array import MacArray
from .sign_flip_array import SignFlipArray
from .signals import bits
from .vector_cells import VectorCells
from .vector_core import VectorCore

__all__: list[str] = []


def _centroids(array: Array, entries: Value) -> Value:
    """A codebook word for each centroid, less one."""
    return entries


register("lookup", Engine(symbol=lambda array: bits(array.entries), term=lambda array: 8, encoder=Encoder,
                          cells=LookupArray, slot=_centroids))
register("mac", Engine(symbol=lambda array: 8, term=lambda array: 8 + max(2, array.weight_bits), encoder=PassThrough,
                       cells=MacArray, cell=lambda array: array.weight_bits))
register("sign-flip", Engine(symbol=lambda array: 8, term=lambda array: 9, encoder=PassThrough, cells=SignFlipArray,
                             cell=lambda array: 2))
register("vec-lut", Engine(symbol=lambda array: 8 * array.length, encoder=PassThrough, cells=VectorCells,
                           term=lambda array: 1 + (128 * array.length).bit_length(), core=VectorCore,
                           beat=lambda array: 8 * array.rows))
