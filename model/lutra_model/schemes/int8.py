"""INT8 multiplication: the baseline."""

from ..network import Product
from ..products import dense
from .base import Layer, Options, Scheme

__all__ = ["Int8"]


class Int8(Scheme):
    """Weights rounded to 8 bits, one scale for each column."""

    name = "int8"
    title = "INT8 multiplication"
    baseline = True

    def product(self, layer: Layer, options: Options) -> Product:
        """See `Scheme.product`."""
        return dense(layer.step.name, layer.source, layer.step.weight, layer.step.bias,
                     input_scale=layer.input_scale, **layer.common)
