"""Small arrays and a layer whose events can be counted by hand."""

from lutra_model.params import Array, Layer

__all__ = ["LAYER", "SMALL", "SMALL_MAC"]

SMALL = Array(rows=4, columns=3, encoders=2, length=5, entries=4, word=1, codebooks=64, block_rows=16, index_words=64)
SMALL_MAC = Array.mac(rows=4, columns=3, codebooks=64, block_rows=16, index_words=64)
LAYER = Layer(rows=2, codebooks=5, columns=4, length=3, entries=4)
