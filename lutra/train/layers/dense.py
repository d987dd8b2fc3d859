"""Products by INT8 multiplication."""

from torch import Tensor

from .product import Tables
from .windows import convolved, windows

__all__ = ["Dense"]


class Dense(Tables):
    """A product by multiplication; the table holds the weights ``(reduction, 1, columns)``."""

    def rows(self, x: Tensor) -> Tensor:
        """See :meth:`Product.rows`: in training the whole image, which is not cut into windows."""
        return x if self.training else windows(x, self.node.window)

    def sums(self, rows: Tensor) -> Tensor:
        """See :meth:`Product.sums`."""
        weights = self.entries()[:, 0]
        if self.training:
            return convolved(rows, weights, self.node.window)
        return (weights.T.double() @ rows.double()).round()
