"""Machines, layers and operations whose numbers are arrays: one place for each machine."""

from dataclasses import dataclass, fields, replace
from functools import cached_property
from math import gcd
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..operation import Operation
from ..params import Array, Layer
from ..whole import most

__all__ = ["ENGINES", "Designs", "Layers", "Operations", "taken"]

ENGINES = ("lookup", "mac", "sign-flip")  # whose tiles have the closed form of `walk`
SIZES = ("rows", "columns", "encoders", "length", "entries", "word", "lanes", "fill", "codebooks", "block_rows",
         "index_words", "activation_words", "table_words", "codebook_words", "program_words")
Record = TypeVar("Record", bound=Any)


def taken(record: Record, places: NDArray[Any]) -> Record:
    """The record with those places of each of its arrays (bool, or integers); single numbers are for all places."""
    return replace(record, **{field.name: value[places] for field in fields(record)
                              if isinstance(value := getattr(record, field.name), np.ndarray)})


def _plain(values: NDArray[np.int64]) -> Any:
    return values if values.ndim else int(values)


@dataclass(frozen=True, eq=False, kw_only=True)
class Designs(Array):
    """So many machines: of the fields of `Array` those that are sizes may be int64 arrays of one length.

    Engine, metric and functions are the same for all. Raises the ``ValueError`` of the first that is no machine.
    """

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __post_init__(self) -> None:
        if self.engine not in ENGINES or self.gather:
            raise ValueError(f"machines at once must be of the engine {', '.join(ENGINES[:-1])} or {ENGINES[-1]} and "
                             f"not gather; this one's is {self.engine}")
        if not np.any(self.word):
            both = np.bitwise_or(self.encoders, self.columns)
            object.__setattr__(self, "word", _plain(np.where(both & 1, 1, np.where(both & 2, 2, 4))))
        if not np.any(self.lanes):
            object.__setattr__(self, "lanes", most(self.length * (self.encoders // self.word), 9))
        object.__setattr__(self, "fill", _plain(np.where(np.equal(self.fill, 0), self.rows, self.fill)))
        self._check()

    def _check(self) -> None:
        """Answer the first place that is no machine as `Array` does."""
        wrong = (self.rows % self.encoders != 0) | (self.rows % self.fill != 0) | (self.encoders % self.word != 0) \
            | (self.columns % self.word != 0) | (self.lanes < self.length * (self.encoders // self.word))
        if self.engine == "lookup":
            wrong = wrong | (self.entries < 2) | (np.bitwise_and(self.entries, self.entries - 1) != 0)
        if whole := 8 // gcd(8, self.cell_bits) - 1:  # of power of two rows, whose table words are whole bytes
            wrong = wrong | (np.bitwise_or(self.rows, self.fill) & whole != 0)
        for name in SIZES:
            wrong = wrong | np.less(getattr(self, name), 1)
        if np.any(wrong):
            self.at(int(np.argmax(np.broadcast_to(wrong, len(self)))))

    @cached_property
    def machines(self) -> int:
        """How many there are."""
        return np.broadcast(*(getattr(self, name) for name in SIZES)).size

    def __len__(self) -> int:
        return self.machines

    def at(self, place: int) -> Array:
        """One of the machines."""
        numbers: dict[str, Any] = {field.name: int(value[place]) if isinstance(value, np.ndarray) else value
                                   for field in fields(Array) for value in [getattr(self, field.name)]}
        return Array(**numbers)

    @cached_property
    def formers(self) -> tuple[tuple[Array, ...], NDArray[np.int64]]:
        """Small machines that form windows as these do, and which of them each place has."""
        names = ("encoders", "columns", "word", "lanes", "length")
        values = [np.broadcast_to(getattr(self, name), len(self)) for name in names]
        key = np.zeros(len(self), np.int64)
        for value in values:
            key = key * (int(value.max()) + 1) + value
        _, first, which = np.unique(key, return_index=True, return_inverse=True)
        same: dict[str, Any] = {"engine": self.engine, "metric": self.metric, "functions": self.functions,
                                "index_words": 1 << 30, "entries": 1 << 16 if self.engine == "lookup" else 1}
        shapes = [dict(zip(names, (int(value[place]) for value in values), strict=True)) for place in first]
        return tuple(Array(rows=8 * shape["encoders"], **(same | shape)) for shape in shapes), which


for _name in ("cell", "slots", "groups", "banks", "output_words", "parameter_beats", "beat_bytes", "codebook_bytes"):
    _once = cached_property(getattr(Array, _name).fget)
    _once.__set_name__(Designs, _name)
    setattr(Designs, _name, _once)  # an array is made once


@dataclass(frozen=True, eq=False, kw_only=True)
class Layers(Layer):
    """The shape of one product as each machine cuts it."""

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __post_init__(self) -> None:
        """Nothing: the layers that these are made of were checked."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Operations(Operation):
    """One step of a program on each machine; what depends on the lanes alone stands for them."""

    __eq__ = object.__eq__
    __hash__ = object.__hash__
    lane_reads: Any = 0
    used_lanes: Any = 0
    words_inside: Any = 0
