"""What a product layer holds beside the words of its cells, and what its numbers mean: the golden side of a scheme."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ..nodes import Product
    from ..onnx_write import Writer
    from ..params import Array

__all__ = ["Coding", "sub_vectors"]

Int8 = NDArray[np.int8]
Sums = NDArray[np.signedinteger[Any]]


def sub_vectors(columns: Int8, codebooks: int, length: int) -> Int8:
    """Rows ``(reduction, rows)`` of one group as ``(codebooks, length, rows)``, the last one padded with zeros."""
    missing = codebooks * length - len(columns)
    padded = np.pad(columns, ((0, missing), (0, 0))) if missing else columns
    return padded.reshape(codebooks, length, -1)


@dataclass(frozen=True, eq=False)
class Coding(ABC):
    """A scheme's part of a `Product`, whose ``table`` is what the cells hold: ``(codebooks, entries, columns)`` int8.

    Fields are plain values or arrays; arrays lie in the network file with the dtypes of ``ARRAYS``.
    """

    kind: ClassVar[str]
    engine: ClassVar[str]              # of the machine that runs it
    blank: ClassVar[int | None] = None  # table word that adds nothing whatever the symbol; None: there is none
    ARRAYS: ClassVar[dict[str, type[np.generic]]] = {}

    @property
    @abstractmethod
    def scheme(self) -> str:
        """Name of the scheme."""

    @property
    def runs(self) -> bool:
        """See `Layer.runs`."""
        return False

    @property
    @abstractmethod
    def length(self) -> int:
        """Scalars of a sub-vector."""

    def entries(self, table: Int8) -> int:
        """Entries of a table, as the machine counts them."""
        return table.shape[1]

    def fields(self) -> dict[str, int]:
        """Fields of the operation that a product of this coding sets."""
        return {}

    @property
    def weight_levels(self) -> int:
        """Different values that a weight can have: a baseline with fewer is none for this layer."""
        return 256

    def check(self, node: Product) -> None:  # noqa: B027  most have nothing to say
        """Raise ``ValueError`` that names the layer where table and coding disagree."""

    @abstractmethod
    def sums(self, table: Int8, columns: Int8) -> Sums:
        """Golden: the sums before the finisher ``(rows, columns)`` of one group.

        ``table`` is ``(codebooks, entries, columns)``, ``columns`` the activations ``(reduction, rows)``: in the order
        channel, kernel row, kernel column; where ``runs``: tap, channel, each tap padded to whole sub-vectors.
        """

    def all_sums(self, table: Int8, columns: Int8) -> Sums:
        """The same for groups side by side: ``(groups, ...)`` of both, ``(rows, groups * columns)``."""
        codings = self.split(len(table))
        found = [coding.sums(one, some) for coding, one, some in zip(codings, table, columns, strict=True)]
        return found[0] if len(found) == 1 else np.concatenate(found, axis=1)

    def split(self, groups: int) -> Sequence[Self]:
        """The coding of each group; arrays of ``ARRAYS`` go by codebook unless a scheme says otherwise."""
        cut = {name: np.split(getattr(self, name), groups) for name in self.ARRAYS}
        return [dataclasses.replace(self, **{name: parts[number] for name, parts in cut.items()})
                for number in range(groups)]

    def joined(self, others: Sequence[Self]) -> Self:
        """One coding for groups in one operation, see `split`."""
        return dataclasses.replace(self, **{name: np.concatenate([getattr(other, name) for other in others])
                                            for name in self.ARRAYS})

    def parameters(self, node: Product) -> NDArray[np.uint8]:
        """Parameter bytes of a column beyond the seven of every finisher, ``(bytes, columns)``."""
        return np.zeros((0, node.columns), np.uint8)

    @abstractmethod
    def float_sums(self, node: Product, columns: NDArray[np.float64], input_scale: float) -> NDArray[np.float64]:
        """Algorithm: the paper's equations in real numbers, ``(rows, groups * columns)`` before the bias.

        ``columns`` is ``(rows, groups * reduction)`` in the order of ``sums``.
        """

    @abstractmethod
    def onnx_sums(self, writer: Writer, node: Product, rows: str) -> str:
        """Name of the int32 sums ``(rows, groups * columns)`` from int32 ``(rows, groups * reduction)``."""

    def refusal(self, node: Product, array: Array) -> str | None:
        """Why an array of the right engine does not run the layer, beyond sizes; or None."""
        return None

    def codebook_beats(self, order: NDArray[np.int64], array: Array) -> NDArray[np.uint8]:
        """Codebook memory of a product, ``(codebook words, bytes of one)``; ``order`` as in `Former`."""
        return np.zeros((0, array.codebook_bytes), np.uint8)

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays in the network file."""
        return sum(getattr(self, name).astype(dtype).nbytes for name, dtype in self.ARRAYS.items())
