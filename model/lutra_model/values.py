"""Values in activation memory, views of them, and the steps that make them, before addresses are known."""

from dataclasses import dataclass, field
from math import prod
from typing import Any

from .layout import Layout
from .network import Add, LayerNorm, Product, RowSoftmax, Shape, Window
from .params import Array
from .piecewise import Piecewise
from .tiling import NORM_PASSES, PIXEL, SOFTMAX_PASSES
from .windows import Former, pool_former, product_former, row_former

__all__ = ["Step", "Value", "View", "image_of"]


@dataclass(eq=False)
class Value:
    """An image in activation memory; with a ``home``, some channels of another one, or its next content.

    Parameters
    ----------
    first : its first word of a pixel of ``home``.
    gapless : the flatten that sees it as one vector, or none.
    """

    name: str
    height: int
    width: int
    channels: int
    home: "Value | None" = None
    first: int = 0
    gapless: str = ""

    @property
    def root(self) -> "Value":
        """The value that has memory of its own."""
        return self.home.root if self.home else self


@dataclass(frozen=True, kw_only=True)
class View:
    """A value as an operation sees it: whole, some of its channels, or as one vector (``flat``)."""

    value: Value
    channels: int
    first: int = 0
    flat: bool = False

    @property
    def whole(self) -> bool:
        """Whether nothing is left out and nothing seen in another way."""
        return not (self.flat or self.first) and self.channels == self.value.channels

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return (1, 1) if self.flat else (self.value.height, self.value.width)

    def layout(self, layouts: dict[Value, Layout], array: Array) -> Layout:
        """Where it lies, given where the roots lie."""
        root, words, (height, width) = layouts[self.value.root], -(-self.channels // array.word), self.size
        return Layout(side=root.side, base=root.base + self.value.first + self.first, height=height, width=width,
                      channels=self.channels, pitch_y=words if self.flat else root.pitch_y,
                      pitch_x=words if self.flat else root.pitch_x)


@dataclass(eq=False, kw_only=True)
class Step:
    """One operation: a load (no source), a product, a row softmax or norm, or a pool.

    Its results leave by the stream without a target.

    Parameters
    ----------
    name, node : the node whose sums it forms; the one whose value it makes, after an add.
    pool : arguments of a pool that is not the identity.
    functions : what it looks up in function memory.
    own : the operand of ``add`` that the step itself makes; ``residual`` is the other.
    """

    name: str
    node: str
    source: View | None = None
    target: View | None = None
    product: Product | None = None
    row: RowSoftmax | LayerNorm | None = None
    functions: tuple[Piecewise, ...] = ()
    window: Window = PIXEL
    pool: dict[str, Any] = field(default_factory=dict)
    residual: View | None = None
    add: Add | None = None
    own: int = 0

    @property
    def reads(self) -> list[View]:
        """What it reads."""
        return [view for view in (self.source, self.residual) if view]

    def former(self, array: Array) -> Former:
        """How it gathers its windows."""
        assert self.source is not None
        channels, kernel = self.source.channels, self.window.kernel
        if self.row is not None:
            return row_former(channels, SOFTMAX_PASSES if isinstance(self.row, RowSoftmax) else NORM_PASSES, array)
        if self.product is None:
            return pool_former(channels, kernel, array)
        return product_former(self.product.layer(), channels, kernel, array)


def image_of(shape: Shape) -> tuple[int, int, int]:
    """Height, width and channels of a value of any shape."""
    return prod(shape[:-2]), shape[-2] if len(shape) > 1 else 1, shape[-1]
