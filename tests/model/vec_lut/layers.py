"""Random ternary layers, and a small machine for them."""

from math import prod

import numpy as np

from lutra_model import ternary
from lutra_model.codings import Trits
from lutra_model.network import Product, Window
from lutra_model.params import Array

__all__ = ["GROUPS", "SMALL", "layer"]

GROUPS = [3, 4, 5]
SMALL = Array(engine="vec-lut", rows=4, columns=4, encoders=2, length=4, entries=1, block_rows=12, index_words=128,
              activation_words=512, table_words=2048, program_words=2048)


def layer(seed: int, group: int, channels: int, window: Window | None, columns: int, groups: int = 1) -> Product:
    rng, taps = np.random.default_rng(seed), prod(window.kernel) if window else 1
    weights = rng.integers(-1, 2, (groups, channels * taps, columns), np.int8)
    table = np.concatenate([ternary.pack_layer(part, group, taps) for part in weights])
    wide = groups * columns
    node = Product(name="p", inputs=("input",), scale=1.0, table=table, coding=Trits(group), reduction=channels * taps,
                   groups=groups, bias=rng.integers(-99, 99, wide), multiplier=np.full(wide, 40000),
                   shift=np.full(wide, 24), table_scale=np.ones(wide), window=window)
    object.__setattr__(node, "true", weights)
    return node
