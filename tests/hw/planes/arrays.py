"""Arrays of bit planes."""

from lutra_model.params import Array

__all__ = ["array"]


def array(rows: int = 4, columns: int = 2, **sizes: int) -> Array:
    given = {"encoders": 1, "length": 4, "entries": 3, "codebooks": 20, "block_rows": 6, "index_words": 18}
    return Array(engine="lut-tc", rows=rows, columns=columns, **(given | sizes))
