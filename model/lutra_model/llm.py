"""Language models as workloads by shape: the linear layers of one decoder layer, so many times.

Attention's own products, the embedding and the output head stay outside: no ternary or low-bit scheme has tables for
them, and the published kernels that these shapes stand for leave them out as well. A prompt of M tokens makes products
of M rows (prefill); a token that follows makes products of one (decode).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .params import Layer
from .workloads import Work

__all__ = ["MODELS", "Decoder", "low_bit_weights", "ternary_weights"]

LENGTH = 8    # sub-vectors of a centroid scheme: they divide every reduction here
ENTRIES = 16


@dataclass(frozen=True, kw_only=True)
class Decoder:
    """A decoder of the Llama family: grouped-query attention and a gated feed-forward part.

    Parameters
    ----------
    hidden, inner : values of a token between layers, and inside the feed-forward part.
    heads, key_heads : query heads; heads of keys and of values (fewer where queries share them).
    layers : decoder layers.
    source : where the sizes are published.
    """

    name: str
    hidden: int
    inner: int
    heads: int
    key_heads: int
    layers: int
    source: str

    @property
    def products(self) -> tuple[tuple[str, int, int], ...]:
        """Name, reduction and columns of each linear layer."""
        keys = self.hidden // self.heads * self.key_heads
        return (("query", self.hidden, self.hidden), ("key", self.hidden, keys), ("value", self.hidden, keys),
                ("output", self.hidden, self.hidden), ("gate", self.hidden, self.inner),
                ("up", self.hidden, self.inner), ("down", self.inner, self.hidden))

    @property
    def weights(self) -> int:
        """Weights of all linear layers."""
        return self.layers * sum(reduction * columns for _, reduction, columns in self.products)

    def works(self, tokens: int = 1) -> tuple[Work, ...]:
        """One decoder layer, ``layers`` times, for a prompt of so many tokens.

        >>> sum(work.macs for work in MODELS["bitnet-3b"].works(512)) == 512 * MODELS["bitnet-3b"].weights
        True
        """
        if tokens < 1:
            raise ValueError(f"tokens must be at least 1, not {tokens}")
        return tuple(Work(name=name, width=tokens, channels=reduction, times=self.layers,
                          residual=name in ("output", "down"),
                          layer=Layer(name=name, rows=tokens, codebooks=-(-reduction // LENGTH), columns=columns,
                                      length=LENGTH, entries=ENTRIES, reduction=reduction))
                     for name, reduction, columns in self.products)


MODELS = {
    "bitnet-3b": Decoder(
        name="BitNet b1.58 3B", hidden=3200, inner=8640, heads=32, key_heads=32, layers=26,
        source="Ma et al., The Era of 1-bit LLMs, arXiv 2402.17764, section 3 (the LLaMA 3B shape); config.json of "
               "1bitLLM/bitnet_b1_58-3B; kernel shapes in utils/codegen_tl1.py of microsoft/BitNet"),
    "llama3-8b": Decoder(
        name="Llama 3 8B", hidden=4096, inner=14336, heads=32, key_heads=8, layers=32,
        source="Grattafiori et al., The Llama 3 Herd of Models, arXiv 2407.21783, table 3"),
}


def ternary_weights(reduction: int, columns: int, seed: int) -> NDArray[np.int8]:
    """A slice of a ternary layer, int8 ``(reduction, columns)`` of -1, 0 and 1.

    Normal weights by the absmean rule of BitNet b1.58 (arXiv 2402.17764, equations 1 to 3): a weight is divided by the
    mean magnitude, rounded and clamped. 31.0% of such weights are 0 (a normal variable is within ``1 / sqrt(2 pi)``
    of its mean), the others 1 and -1 alike.
    """
    real = np.random.default_rng(seed).normal(size=(reduction, columns))
    return np.clip(np.rint(real / np.abs(real).mean()), -1, 1).astype(np.int8)


def low_bit_weights(reduction: int, columns: int, bits: int, seed: int) -> NDArray[np.int8]:
    """A slice of a layer of ``bits``-wide weights (2 to 8), int8 ``(reduction, columns)``.

    Normal weights rounded to the symmetric grid of their column, whose largest magnitude is its last step.
    """
    if not 2 <= bits <= 8:
        raise ValueError(f"bits must be 2 to 8, not {bits}")
    real = np.random.default_rng(seed).normal(size=(reduction, columns))
    steps = 2 ** (bits - 1) - 1
    return np.rint(real * (steps / np.abs(real).max(axis=0))).astype(np.int8)
