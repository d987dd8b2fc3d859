"""Sentences to calibrate and to measure on: an excerpt of Moby-Dick (Melville, 1851; in the public domain)."""

from collections.abc import Iterable
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from .wordpiece import WordPiece

__all__ = ["padded_ids", "sentences", "token_ids"]


def sentences() -> list[str]:
    """160 sentences of ten chapters, in their order."""
    return (files("lutra.text") / "moby-dick.txt").read_text(encoding="utf-8").splitlines()


def token_ids(pieces: WordPiece, texts: Iterable[str], tokens: int) -> NDArray[np.int64]:
    """Numbers ``(texts, tokens)`` of first pieces between ``[CLS]`` and ``[SEP]``; shorter texts are left out.

    Raises ``ValueError`` where every text is shorter.
    """
    if tokens < 3:
        raise ValueError(f"tokens must be at least 3 (the ends and one piece), not {tokens}")
    found = [[*ids[:tokens - 1], ids[-1]] for ids in map(pieces.ids, texts) if len(ids) >= tokens]
    if not found:
        raise ValueError(f"texts must have at least {tokens} tokens, but all are shorter")
    return np.array(found, np.int64)


def padded_ids(pieces: WordPiece, texts: Iterable[str], tokens: int) -> NDArray[np.int64]:
    """Numbers ``(texts, tokens)``: longer texts are cut before ``[SEP]``, shorter ones filled with ``[PAD]``."""
    filler = [pieces.vocabulary["[PAD]"]] * tokens
    found = [[*ids[:-1][:tokens - 1], ids[-1], *filler][:tokens] for ids in map(pieces.ids, texts)]
    return np.array(found, np.int64).reshape(-1, tokens)
