"""Parameters: one record for the shape of a layer, one for a machine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from math import gcd
from typing import TYPE_CHECKING, Any

from .whole import log2, most

if TYPE_CHECKING:
    from .engines import Engine

__all__ = ["DISTANCES", "Array", "Layer", "Metric"]


class Metric(StrEnum):
    """How an encoder of the lookup engine finds an index: the distance it minimises, or a decision tree."""

    L2 = "l2"
    L1 = "l1"
    CHEBYSHEV = "chebyshev"
    TREE = "tree"


DISTANCES = (Metric.L2, Metric.L1, Metric.CHEBYSHEV)


def _at_least_one(**values: int) -> None:
    for name, value in values.items():
        if value < 1:
            raise ValueError(f"{name} must be at least 1, not {value}")


@dataclass(frozen=True, kw_only=True)
class Layer:
    """Shape of one matrix product, as a table lookup or as multiplications.

    Parameters
    ----------
    rows : activation vectors (M): batch times output pixels, or tokens.
    codebooks : sub-vectors in one activation vector (K); for a dense layer, its scalars.
    columns : outputs of one activation vector (N).
    length : scalars in one sub-vector (V); 1 for a dense layer.
    entries : centroids of one codebook and entries of one table (C); 1 for a dense layer.
    reduction : scalars in one activation vector before padding to whole sub-vectors.
    engine : kind of cell that runs it; "": ``mac`` for a dense layer, else ``lookup``.
    runs : sub-vectors are runs of channels of one pixel, tap after tap, each tap padded to whole sub-vectors;
        otherwise they are cut from the order channel, kernel row, kernel column.
    blank : some table word adds nothing, so that an encoder may see what belongs to no sub-vector.
    """

    name: str = "layer"
    rows: int
    codebooks: int
    columns: int
    length: int = 9
    entries: int = 16
    reduction: int = 0
    engine: str = ""
    runs: bool = False
    blank: bool = True

    def __post_init__(self) -> None:
        _at_least_one(rows=self.rows, codebooks=self.codebooks, columns=self.columns,
                      length=self.length, entries=self.entries)
        object.__setattr__(self, "reduction", self.reduction or self.codebooks * self.length)
        object.__setattr__(self, "engine", self.engine or ("mac" if self.length == self.entries == 1 else "lookup"))
        least = self.codebooks if self.runs else (self.codebooks - 1) * self.length + 1
        if not least <= self.reduction <= self.codebooks * self.length:
            raise ValueError(f"reduction must need {self.codebooks} sub-vectors of {self.length}, "
                             f"not be {self.reduction}")

    @classmethod
    def dense(cls, *, name: str = "layer", rows: int, reduction: int, columns: int) -> Layer:
        """The same product done by multiplications: every scalar is its own sub-vector."""
        return cls(name=name, rows=rows, codebooks=reduction, columns=columns, length=1, entries=1)

    @property
    def is_dense(self) -> bool:
        """Whether the layer multiplies INT8 numbers."""
        return self.engine == "mac"

    def as_dense(self) -> Layer:
        """The multiplying twin of this layer."""
        return Layer.dense(name=self.name, rows=self.rows, reduction=self.reduction, columns=self.columns)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the dense product that the layer stands for."""
        return self.rows * self.reduction * self.columns

    @property
    def lookups(self) -> int:
        """Table entries read (or, in a dense layer, products formed)."""
        from .engines import engine_of

        return self.rows * self.codebooks * self.columns * engine_of(self.engine).issue_cycles(self.entries)


@dataclass(frozen=True, kw_only=True)
class Array:
    """One machine: memories, window former, encoders, an array of rows x columns cells, finishers.

    Parameters
    ----------
    engine : kind of encoder and cell, see `lutra_model.engines`: ``lookup``, ``mac``, ...
    rows : codebooks (or scalars) summed in one cycle.
    columns : outputs formed in one cycle.
    encoders : sub-vectors (or scalars) encoded in one cycle; a divisor of ``rows``.
    length : longest sub-vector an encoder takes; 1 for ``mac``; scalars of a group for ``lut-tc``.
    entries : most entries of one table, a power of two; 1 for ``mac``; most planes of a weight for ``lut-tc``.
    metric : the encoder's distance, or ``tree``, of ``lookup``.
    quantised : tables built of activations have entries of 8 bits, of ``lut-tc``.
    weight_bits : of a weight, of ``mac``: 1 to 8.
    weight_levels : of ``dln-row`` and ``dln-column``: levels of a weight but the zero one, a power of two.
    word : channels in one word of activation memory; a divisor of ``encoders`` and of ``columns``. 0: the largest of
        4, 2, 1 that is one.
    lanes : words gathered in one cycle, at least ``length * encoders / word``. 0: that many, and at least 9.
    fill : array rows that one table beat loads; a divisor of ``rows``. 0: all.
    run : longest sub-vector that may be a run of channels, or of taps of one channel of many encoders (the arrangements
        RUN and TAPS of docs/hardware.md). 0: ``length``.
    pool : lanes that a pool takes in one cycle; 0: all.
    stores : words of activation memory that one beat writes at most, a power of two. 0: as many as there are banks;
        with fewer, both sides share their banks, and residuals have a copy of all words.
    gather : table memory has an address for each of ``fill`` rows, so that a beat can hold entries of several indices.
    codebooks : most array rows that a layer uses over all its row tiles; sets the accumulator width.
    block_rows : rows of the accumulator memory.
    index_words : words in each half of the index memory; one word feeds all rows for one cycle.
    activation_words : words on each of the two sides of the activation memory.
    table_words : words of the table memory; one holds ``fill * columns`` table words of the cells.
    codebook_words : words of the codebook memory; one holds a centroid of every encoder, or one level of a
        layer's table (``dln-*``).
    program_words : 32-bit words of the program memory.
    functions : slots of the function memory, at most 15; 0: the machine has no function units.
    """

    engine: str = "lookup"
    rows: int = 16
    columns: int = 16
    encoders: int = 4
    length: int = 9
    entries: int = 16
    metric: Metric = Metric.L2
    quantised: bool = False
    weight_bits: int = 8
    weight_levels: int = 1
    word: int = 0
    lanes: int = 0
    fill: int = 0
    run: int = 0
    pool: int = 0
    stores: int = 0
    gather: bool = False
    codebooks: int = 512
    block_rows: int = 1024
    index_words: int = 2048
    activation_words: int = 8192
    table_words: int = 1024
    codebook_words: int = 1024
    program_words: int = 1024
    functions: int = 0

    def __post_init__(self) -> None:
        _at_least_one(rows=self.rows, columns=self.columns, encoders=self.encoders, length=self.length,
                      codebooks=self.codebooks, block_rows=self.block_rows, index_words=self.index_words,
                      activation_words=self.activation_words, table_words=self.table_words,
                      codebook_words=self.codebook_words, program_words=self.program_words,
                      weight_levels=self.weight_levels)
        if self.rows % self.encoders:
            raise ValueError(f"encoders must divide rows ({self.rows}), {self.encoders} do not")
        if not 0 <= self.functions <= 15:
            raise ValueError(f"functions must be 0 to 15, not {self.functions}")
        if self.gather and not self.cell.gathers:
            raise ValueError(f"an array of the engine {self.engine} must not gather")
        self.cell.check(self)
        self._complete()

    def _complete(self) -> None:
        """Sizes given as 0 become what the others ask for."""
        word = self.word or next(size for size in (4, 2, 1) if not (self.encoders % size or self.columns % size))
        if word < 0 or self.encoders % word or self.columns % word:
            raise ValueError(f"word must divide encoders ({self.encoders}) and columns ({self.columns}), not be {word}")
        least = self.length * (self.encoders // word)
        whole = 8 // gcd(8, self.cell_bits)  # rows whose table words are whole bytes
        lanes, fill = self.lanes or max(least, 9), self.fill or self.rows
        if self.rows % whole:
            raise ValueError(f"rows must be a multiple of {whole}, for table beats of whole bytes, not {self.rows}")
        if lanes < least:
            raise ValueError(f"lanes must be at least {least} for {self.encoders} encoders of {self.length} scalars, "
                             f"not {lanes}")
        if fill < 0 or self.rows % fill:
            raise ValueError(f"fill must divide rows ({self.rows}), {fill} does not")
        if fill * self.cell_bits % 8:
            raise ValueError(f"fill must be a multiple of {whole}, so that a table beat has whole bytes, not {fill}")
        for name, value in [("word", word), ("lanes", lanes), ("fill", fill)]:
            object.__setattr__(self, name, value)
        if not 0 <= self.run <= self.length:
            raise ValueError(f"run must be 0 to {self.length}, not {self.run}")
        if not 0 <= self.pool <= lanes:
            raise ValueError(f"pool must be 0 to {lanes}, not {self.pool}")
        if self.stores and (self.stores & (self.stores - 1) or not self.output_words <= self.stores <= self.banks):
            raise ValueError(f"stores must be a power of two from {self.output_words} to {self.banks}, "
                             f"not {self.stores}")

    @classmethod
    def mac(cls, *, rows: int = 16, columns: int = 16, encoders: int | None = None, codebooks: int = 4608,
            index_words: int = 4608, **sizes: int) -> Array:
        """An INT8 multiply-accumulate array; it takes a whole row of activations in one beat."""
        return cls(engine="mac", rows=rows, columns=columns, encoders=encoders or rows, length=1,
                   entries=1, codebooks=codebooks, index_words=index_words, **sizes)  # type: ignore[arg-type]

    def resized(self, **sizes: Any) -> Array:
        """The same machine with other sizes; ``word``, ``lanes``, ``fill``, ``stores`` anew unless given."""
        return replace(self, **({"word": 0, "lanes": 0, "fill": 0, "stores": 0} | sizes))

    @property
    def cell(self) -> Engine:
        """What the model knows of the machine's encoders and cells."""
        from .engines import engine_of

        return engine_of(self.engine)

    @property
    def is_lookup(self) -> bool:
        """Whether it looks up: in a comparison it stands against the multiplying machines."""
        return self.cell.tables

    @property
    def has_codebooks(self) -> bool:
        """Whether there is a codebook memory."""
        return self.codebook_bytes > 0

    @property
    def codebook_bytes(self) -> int:
        """Bytes of a word of codebook memory: a centroid of every encoder, or what else the engine keeps there."""
        return self.cell.codebook_bytes(self)

    @property
    def cell_bits(self) -> int:
        """Bits of a cell's table word."""
        return self.cell.cell_bits(self)

    @property
    def beat_bytes(self) -> int:
        """Bytes of a table beat."""
        return self.cell.beat_bytes(self)

    @property
    def activation_bytes(self) -> int:
        """Bytes of a beat of the activation stream."""
        return self.columns

    @property
    def output_bytes(self) -> int:
        """Bytes of an output beat."""
        return self.columns

    @property
    def parameter_words(self) -> int:
        """Parameter words (a byte for each column) in a table beat."""
        return self.fill * self.cell_bits // 8

    @property
    def parameter_beats(self) -> int:
        """Beats of a column tile's finisher parameters."""
        return -(-self.cell.parameter_bytes // self.parameter_words)

    @property
    def cells(self) -> int:
        """Table cells or multipliers."""
        return self.rows * self.columns

    @property
    def slots(self) -> int:
        """Activation beats that fill one index word."""
        return self.rows // self.encoders

    @property
    def groups(self) -> int:
        """Words over which the encoders are spread: encoder ``g * word + b`` takes byte ``b`` of group ``g``."""
        return self.encoders // self.word

    @property
    def output_words(self) -> int:
        """Words of activation memory that one output row of a column tile fills."""
        return self.columns // self.word

    @property
    def banks(self) -> int:
        """Banks on each side of the activation memory, a power of two; word ``a`` lies in bank ``a % banks``."""
        return 1 << log2(most(self.lanes, self.output_words))

    @property
    def pool_lanes(self) -> int:
        """Lanes that a pool takes in one cycle."""
        return self.pool or self.lanes

    @property
    def longest_run(self) -> int:
        """Longest sub-vector of another arrangement than WINDOW."""
        return self.run or self.length

    @property
    def beat_words(self) -> int:
        """Words of activation memory that a beat writes at most."""
        return self.stores or self.banks

    @property
    def copies(self) -> bool:
        """Whether residuals are read from a copy of the activation memory, see ``stores``."""
        return self.stores > 0 and self.stores < self.banks
