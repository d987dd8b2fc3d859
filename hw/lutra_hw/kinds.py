"""The engines that the project has, by name."""

from typing import Literal

from amaranth.hdl import Const, Value
from amaranth.lib import wiring

from lutra_model.params import Array, Metric

from .encoder import Encoder, PassThrough
from .engines import Engine, register
from .level_arrays import LevelArray, LevelTables
from .level_encoder import LevelEncoder
from .lookup_array import LookupArray
from .mac_array import MacArray
from .plane_array import PlaneArray
from .sign_flip_array import SignFlipArray
from .signals import bits
from .table_builder import term_width
from .tree_encoder import TreeEncoder, tree_levels, tree_words
from .vector_cells import VectorCells
from .vector_core import VectorCore

__all__: list[str] = []


def _slot(array: Array, entries: Value) -> Value:
    """A codebook word for each centroid, or those of a tree, less one."""
    return Const(tree_words(array) - 1) if array.metric is Metric.TREE else entries


def _encoder(array: Array) -> wiring.Component:
    return (TreeEncoder if array.metric is Metric.TREE else Encoder)(array)


def _hold(array: Array) -> int:
    return tree_levels(array) if array.metric is Metric.TREE else 0


def _codebook(array: Array) -> int:
    """A centroid of every encoder, or a byte of its tree."""
    return array.encoders * (1 if array.metric is Metric.TREE else array.length)


register("lookup", Engine(symbol=lambda array: bits(array.entries), term=lambda array: 8, encoder=_encoder,
                          cells=LookupArray, slot=_slot, hold=_hold, codebook=_codebook))
register("mac", Engine(symbol=lambda array: 8, term=lambda array: 8 + max(2, array.weight_bits), encoder=PassThrough,
                       cells=MacArray, cell=lambda array: array.weight_bits))
register("sign-flip", Engine(symbol=lambda array: 8, term=lambda array: 9, encoder=PassThrough, cells=SignFlipArray,
                             cell=lambda array: 2))
register("lut-tc", Engine(symbol=lambda array: 8 * array.length, term=term_width, encoder=PassThrough, cells=PlaneArray,
                          cell=lambda array: array.length, parameters=8, planes=True,
                          gain=lambda array: array.entries - 1, lane=term_width))
register("vec-lut", Engine(symbol=lambda array: 8 * array.length, encoder=PassThrough, cells=VectorCells,
                           term=lambda array: 1 + (128 * array.length).bit_length(), core=VectorCore,
                           beat=lambda array: 8 * array.rows))


def _code_width(array: Array) -> int:
    """A code of 6 bits, or a byte where beats of 6 are no whole bytes."""
    return 6 if array.fill % 4 == 0 else 8


def _register_levels(name: str, cells: type[LookupArray], levels: Literal["expand", "preload"]) -> None:
    register(name, Engine(symbol=lambda array: min(6, array.entries.bit_length()), term=lambda array: 8,
                          encoder=LevelEncoder, cells=cells, cell=_code_width,
                          codebook=lambda array: array.weight_levels, levels=levels))


_register_levels("dln-row", LevelTables, "expand")
_register_levels("dln-column", LevelArray, "preload")
