"""Two machines, one product for each, and inputs."""

import numpy as np
from numpy.typing import NDArray

from lutra_model.network import Network, Product, Window
from lutra_model.params import Array
from tests.coded import coded

__all__ = ["COLUMNS", "LOOKUP", "MAC", "images", "network"]

SIZES = {"columns": 4, "block_rows": 24, "activation_words": 512, "table_words": 512, "program_words": 512}
LOOKUP = Array(rows=4, encoders=2, length=9, entries=8, codebooks=8, index_words=48, codebook_words=256, **SIZES)
MAC = Array.mac(rows=8, encoders=4, codebooks=32, index_words=128, **SIZES)
COLUMNS = 6
CHANNELS = {"lut-nn": 3, "int8": 12}


def network(scheme: str, seed: int) -> Network:
    """One convolution of 5 x 6 pixels, 3 x 3 or 1 x 1, so that blocks, tiles of rows and of columns are ragged."""
    rng, lookup = np.random.default_rng(seed), scheme == "lut-nn"
    window = Window(kernel=(3, 3), padding=(1, 1, 1, 1)) if lookup else Window(kernel=(1, 1))
    product = Product(
        name="product", inputs=("input",), scale=1.0, reduction=27 if lookup else 12, window=window,
        table=rng.integers(-128, 128, (3, 8, COLUMNS) if lookup else (12, 1, COLUMNS), np.int8),
        coding=coded(rng.integers(-128, 128, (3, 8, 9), np.int8) if lookup else None),
        bias=rng.integers(-500, 500, COLUMNS), multiplier=rng.integers(2**15, 2**16, COLUMNS),
        shift=np.full(COLUMNS, 18 if lookup else 25), table_scale=np.ones(COLUMNS))
    return Network(name=scheme, input_shape=(5, 6, CHANNELS[scheme]), input_scale=1.0, nodes=(product,))


def images(net: Network, count: int, seed: int) -> NDArray[np.int8]:
    return np.random.default_rng((seed, 1)).integers(-128, 128, (count, *net.input_shape), np.int8)
