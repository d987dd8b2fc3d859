"""The engines that the project has, by name."""

from typing import Literal

from amaranth.hdl import Value

from lutra_model.params import Array

from .encoder import Encoder, PassThrough
from .engines import Engine, register
from .level_arrays import LevelArray, LevelTables
from .level_encoder import LevelEncoder
from .lookup_array import LookupArray
from .mac_array import MacArray
from .sign_flip_array import SignFlipArray
from .signals import bits

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


def _code_width(array: Array) -> int:
    """A code of 6 bits, or a byte where beats of 6 are no whole bytes."""
    return 6 if array.fill % 4 == 0 else 8


def _register_levels(name: str, cells: type[LookupArray], levels: Literal["expand", "preload"]) -> None:
    register(name, Engine(symbol=lambda array: min(6, array.entries.bit_length()), term=lambda array: 8,
                          encoder=LevelEncoder, cells=cells, cell=_code_width,
                          codebook=lambda array: array.weight_levels, levels=levels))


_register_levels("dln-row", LevelTables, "expand")
_register_levels("dln-column", LevelArray, "preload")
