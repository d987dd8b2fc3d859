"""Random layers for a machine: ragged, tiled and blocked ones, all from a seed."""

import numpy as np

from lutra_model.params import Array, Layer

from .case import DATA, Case

__all__ = ["random_case", "random_layer"]

WORK = 1 << 12  # rows times codebooks times column tiles of the largest random layer


def random_layer(array: Array, rng: np.random.Generator) -> Layer:
    """A layer that the array can hold, small, yet of several blocks and tiles when the array's memories are small."""
    def upto(most: int) -> int:
        return int(rng.integers(1, most + 1))

    most = min(array.codebooks, array.rows * array.index_words)
    codebooks = upto(min(most, rng.choice([1, array.rows, most, most])))  # a single small tile is its own corner
    columns = upto(3 * array.columns + 1)
    rows = upto(max(1, min(3 * array.block_rows, WORK // (codebooks * -(-columns // array.columns)))))
    if not array.is_lookup:
        return Layer.dense(rows=rows, reduction=codebooks, columns=columns)
    length = upto(array.length)
    entries = int(rng.integers(1 if length > 1 else 2, array.entries + 1))
    return Layer(rows=rows, codebooks=codebooks, columns=columns, length=length, entries=entries,
                 reduction=(codebooks - 1) * length + upto(length))


def random_case(array: Array, seed: int, *, stalls: bool = False) -> Case:
    """A layer with data of every kind; with stalls, or with streams of various periods."""
    rng = np.random.default_rng(seed)
    layer, data = random_layer(array, rng), DATA[seed % len(DATA)]
    if stalls:
        return Case(array=array, layer=layer, data=data, seed=seed, stalls=seed)
    activations, tables = rng.choice([1, 1, 1, 2, 3, 5, 8], 2).tolist()
    return Case(array=array, layer=layer, data=data, seed=seed, activation_period=activations, table_period=tables)
