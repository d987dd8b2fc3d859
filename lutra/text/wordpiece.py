"""WordPiece tokens of an uncased BERT vocabulary (Wu et al., 2016; Devlin et al., 2019), from a ``tokenizer.json``."""

import json
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path

__all__ = ["WordPiece"]

LONGEST = 100  # characters of a word; a longer one is unknown


def _is_mark(character: str) -> bool:
    """Punctuation as BERT has it: every ASCII character that is no letter, digit or space, and Unicode's class P."""
    code = ord(character)
    ascii_mark = 33 <= code <= 126 and not character.isalnum()
    return ascii_mark or unicodedata.category(character).startswith("P")


def _words(text: str) -> Iterator[str]:
    """Lower-case words without accents; every mark is a word of its own."""
    plain = "".join(character for character in unicodedata.normalize("NFD", text.lower())
                    if unicodedata.category(character) != "Mn")
    for chunk in plain.split():
        word = ""
        for character in chunk:
            if _is_mark(character):
                yield from (part for part in (word, character) if part)
                word = ""
            else:
                word += character
        if word:
            yield word


class WordPiece:
    """A vocabulary; words are cut into the longest pieces that it has, from the left.

    Parameters
    ----------
    vocabulary : number of each piece; pieces inside a word begin with ``##``. It has ``[CLS]``, ``[SEP]``, ``[UNK]``.
    """

    def __init__(self, vocabulary: Mapping[str, int]) -> None:
        for special in ("[CLS]", "[SEP]", "[UNK]"):
            if special not in vocabulary:
                raise ValueError(f"a vocabulary must have the piece {special}")
        self.vocabulary = dict(vocabulary)

    @classmethod
    def load(cls, path: Path) -> "WordPiece":
        """The vocabulary of a ``tokenizer.json``.

        Raises ``ValueError`` for a file of another kind.
        """
        try:
            model = json.loads(path.read_text(encoding="utf-8"))["model"]
            return cls(model["vocab"])
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path} must be a tokenizer.json with a WordPiece vocabulary, not {error!r}") from None

    def pieces(self, word: str) -> list[str]:
        """A word's pieces, or ``[UNK]`` alone where the vocabulary has none for a part of it."""
        found, start = list[str](), 0
        while start < len(word) and len(word) <= LONGEST:
            prefix = "##" if start else ""
            end = next((stop for stop in range(len(word), start, -1) if prefix + word[start:stop] in self.vocabulary),
                       start)
            if end == start:
                break
            found.append(prefix + word[start:end])
            start = end
        return found if start == len(word) else ["[UNK]"]

    def ids(self, text: str) -> list[int]:
        """Numbers of a text's pieces between ``[CLS]`` and ``[SEP]``."""
        pieces = [piece for word in _words(text) for piece in self.pieces(word)]
        return [self.vocabulary[piece] for piece in ("[CLS]", *pieces, "[SEP]")]
