"""Products by INT8 multiplication."""

from torch import Tensor

from .product import Tables

__all__ = ["Dense"]


class Dense(Tables):
    """A product by multiplication; the table holds the weights ``(reduction, 1, columns)``."""

    def sums(self, rows: Tensor) -> Tensor:
        """See :meth:`Product.sums`."""
        weights = self.entries()[:, 0].T
        return weights @ rows if self.training else (weights.double() @ rows.double()).round()
