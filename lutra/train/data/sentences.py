"""Sentences as token embeddings: film reviews with people's ratings (Hutto and Gilbert, ICWSM 2014)."""

import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lutra.text.bert import Bert
from lutra.text.corpus import padded_ids
from lutra.text.wordpiece import WordPiece

from .base import Data
from .images import present

__all__ = ["TOKENS", "embedded", "film_reviews", "rated"]

TOKENS = 32
TEST = 2000  # sentences that are never trained on
PART = 256   # sentences that are embedded at a time
ARCHIVE, RATINGS = "hutto_ICWSM_2014.tar.gz", "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt"


def rated(path: Path) -> dict[str, float]:
    """Mean rating, -4 to 4, of every sentence in the archive; of a sentence that is there twice the first counts."""
    try:
        with tarfile.open(path) as archive, archive.extractfile(RATINGS) as file:  # type: ignore[union-attr]
            lines = [line.split("\t") for line in file.read().decode("utf-8").splitlines()]
            return {text: float(rating) for _, rating, text in reversed(lines)}
    except (tarfile.TarError, OSError, KeyError, ValueError) as error:
        raise ValueError(f"{path} must hold {RATINGS} with a number, a rating and a text in each line, "
                         f"but {error}") from None


def embedded(bert: Bert, ids: NDArray[np.int64]) -> NDArray[np.float16]:
    """Embeddings ``(sentences, 1, tokens, hidden)``: an image of one row, a pixel for each token."""
    def parts() -> Iterator[NDArray[np.float16]]:
        for start in range(0, len(ids), PART):
            yield bert.embed(ids[start:start + PART]).astype(np.float16)

    return np.concatenate([*parts()])[:, None]


def film_reviews(folder: Path) -> Data:
    """Sentences from reviews of films as 32 tokens of all-MiniLM-L6-v2, negative or positive on the mean of 20 ratings.

    Sentences with a mean of 0 are left out. Which ones are for the test is drawn once and for all.
    """
    where, start = present("film-reviews", folder), present("minilm", folder)
    found = {text: rating for text, rating in rated(where / ARCHIVE).items() if rating}
    order = np.random.default_rng(0).permutation(len(found))
    texts, ratings = [*found], np.array([*found.values()])
    pieces = WordPiece.load(start / "tokenizer.json")
    x = embedded(Bert.minilm(start), padded_ids(pieces, (texts[number] for number in order), TOKENS))
    labels = (ratings[order] > 0).astype(np.int64)
    return Data(name="film-reviews", classes=("negative", "positive"), train=x[TEST:], train_wanted=labels[TEST:],
                test=x[:TEST], test_wanted=labels[:TEST], pixel_scale=None, start=start,
                source="vaderSentiment 3.3.2 (MIT), sentences from Rotten Tomatoes; all-MiniLM-L6-v2 (Apache-2.0)")
