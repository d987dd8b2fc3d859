"""Products of two activations, head by head: the scores and contexts of attention (Vaswani et al., 2017, section 3.2).

No operand is known before the input is, so no table can be made offline. A machine whose cells hold exact weights
takes the second operand of each head as the weights of a product that this input brings along
(:func:`MatMul.product`); the host only moves bytes.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .codings import Plain
from .nodes import Node, Product, Shape, Window

__all__ = ["MatMul", "evaluate", "heads_of", "joined", "products"]

Int8 = NDArray[np.int8]
SINGLE = 1 << 10  # scalars whose int8 products float32 sums exactly: 2^10 * 2^14 = 2^24


@dataclass(frozen=True, kw_only=True, eq=False)
class MatMul(Node):
    """``clamp(((a @ b) * multiplier + 2^(shift-1)) >> shift, low, high)`` for each of ``heads``.

    An operand of ``height x width`` pixels has one head in each row of pixels, ``(heads, tokens, channels)``, or all of
    them side by side in the channels of one row, ``(1, tokens, heads * channels)``.

    Parameters
    ----------
    transposed : the channels of the second operand are summed over (scores: query . key); else its tokens are
        (context: share . value).
    merged : heads lie side by side in the output, else one below the other.
    factor : what the product is multiplied by in real numbers (scores: ``1 / sqrt(channels)``).
    """

    heads: int
    transposed: bool
    merged: bool
    multiplier: int
    shift: int
    factor: float = 1.0

    def __post_init__(self) -> None:
        for what, value, low, high in [("heads", self.heads, 1, 2**16), ("multiplier", self.multiplier, 0, 2**16 - 1),
                                       ("shift", self.shift, 1, 63)]:
            if not low <= value <= high:
                raise ValueError(f"{what} of {self.name} must be {low} to {high}, not {value}")

    def each(self, shape: Shape) -> tuple[int, int]:
        """Tokens and channels of one head of an operand.

        >>> MatMul(name="scores", inputs=("q", "k"), scale=1.0, heads=4, transposed=True, merged=False,
        ...        multiplier=1, shift=1).each((1, 6, 32))
        (6, 8)
        """
        if len(shape) == 3 and shape[0] == self.heads:
            return shape[1], shape[2]
        if len(shape) == 3 and shape[0] == 1 and shape[2] % self.heads == 0:
            return shape[1], shape[2] // self.heads
        raise ValueError(f"operands of {self.name} must have {self.heads} heads below each other or side by side, "
                         f"not shape {shape}")

    def sizes(self, *inputs: Shape) -> tuple[int, int, int]:
        """Rows, reduction and columns of the product of one head.

        Raises ``ValueError`` for operands that do not fit.
        """
        (rows, reduction), second = (self.each(shape) for shape in inputs)
        found, columns = second[::-1] if self.transposed else second
        if found != reduction:
            raise ValueError(f"operands of {self.name} must have one reduction, not {reduction} and {found}")
        return rows, reduction, columns

    def shape(self, *inputs: Shape) -> Shape:
        """See :meth:`Node.shape`."""
        rows, _, columns = self.sizes(*inputs)
        return (1, rows, self.heads * columns) if self.merged else (self.heads, rows, columns)

    def macs(self, *inputs: Shape) -> int:
        """Multiply-accumulates of all heads."""
        rows, reduction, columns = self.sizes(*inputs)
        return self.heads * rows * reduction * columns

    def product(self, weights: Int8, source: str = "input") -> Product:
        """One head as a multiplying layer of these weights, int8 ``(reduction, columns)``."""
        same = np.ones(weights.shape[1], np.int64)
        return Product(name=self.name, inputs=(source,), scale=self.scale, low=self.low, high=self.high,
                       table=weights[:, None], coding=Plain(), bias=0 * same, multiplier=self.multiplier * same,
                       shift=self.shift * same, table_scale=np.ones(len(same)), reduction=len(weights),
                       window=Window(kernel=(1, 1)))


def heads_of(x: NDArray[Any], heads: int) -> NDArray[Any]:
    """``(batch, heads, tokens, channels)`` of an operand in either of its shapes."""
    if x.shape[1] == heads:
        return x
    return x.reshape(len(x), x.shape[2], heads, -1).transpose(0, 2, 1, 3)


def joined(x: NDArray[Any], merged: bool) -> NDArray[Any]:
    """``(batch, heads, tokens, channels)`` with its heads side by side if they are to be ``merged``."""
    batch, _, tokens, _ = x.shape
    return x.transpose(0, 2, 1, 3).reshape(batch, 1, tokens, -1) if merged else x


def products(node: MatMul, a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """The products of floating point operands, in the output's shape."""
    other = heads_of(b, node.heads)
    sums = np.matmul(heads_of(a, node.heads), other.swapaxes(2, 3) if node.transposed else other)
    return np.ascontiguousarray(joined(sums, node.merged))


def evaluate(node: MatMul, a: Int8, b: Int8) -> Int8:
    """The golden model's value: sums are exact, then rounded half up and clamped."""
    exact = np.float32 if heads_of(a, node.heads).shape[3] <= SINGLE else np.float64
    sums = products(node, a.astype(exact), b.astype(exact)).astype(np.int64)
    scaled = (sums * node.multiplier + (1 << node.shift - 1)) >> node.shift
    return np.clip(scaled, node.low, node.high).astype(np.int8)
