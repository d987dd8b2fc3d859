"""Random layers."""

import numpy as np

from lutra_model.network import Product, Window
from lutra_model.params import Metric
from tests.coded import coded

__all__ = ["layer"]


def layer(seed: int, *, channels: int = 3, columns: int = 5, length: int = 4, entries: int = 8,
          window: Window | None = None, metric: Metric = Metric.L2, dense: bool = False, groups: int = 1) -> Product:
    """A random layer; ``channels`` and ``columns`` are those of one group."""
    rng = np.random.default_rng(seed)
    reduction = channels * (window.kernel[0] * window.kernel[1] if window else 1)
    codebooks = groups * (reduction if dense else -(-reduction // length))
    return Product(
        name="p", inputs=("input",), scale=0.5, low=-100, high=90, reduction=reduction, window=window,
        table=rng.integers(-128, 128, (codebooks, 1 if dense else entries, columns), np.int8),
        coding=coded(None if dense else rng.integers(-128, 128, (codebooks, entries, length), np.int8), metric),
        bias=rng.integers(-5000, 5000, groups * columns), multiplier=rng.integers(2**15, 2**16, groups * columns),
        shift=rng.integers(16, 26, groups * columns), table_scale=np.ones(groups * columns), groups=groups)
