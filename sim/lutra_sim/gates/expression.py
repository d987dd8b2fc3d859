"""Boolean expressions as Liberty writes them, evaluated for all states of a cell at once."""

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

__all__ = ["evaluate", "names"]

TOKEN = re.compile(r"\s*([A-Za-z_][\w\[\]]*|[01]|&&|\|\||[!'&*|+^()])")
AND, OR = ("&", "*", "&&"), ("|", "+", "||")

States = NDArray[np.bool_]


def _tokens(text: str) -> list[str]:
    tokens, place = [], 0
    text = text.strip()
    while place < len(text):
        match = TOKEN.match(text, place)
        if match is None:
            raise ValueError(f"a Boolean expression cannot hold {text[place:].strip()!r}: {text!r}")
        tokens.append(match[1])
        place = match.end()
    return tokens


def names(text: str) -> set[str]:
    """The pins that an expression reads.

    >>> sorted(names("(A1 & !B) | 1"))
    ['A1', 'B']
    """
    return {token for token in _tokens(text) if token[0].isalpha() or token[0] == "_"}


def evaluate(text: str, values: Mapping[str, States]) -> States:
    """The expression for every state; ``values`` has the pins' values, all of one shape.

    ``!`` or a following ``'`` binds closest, then ``^``, then ``&`` (also ``*`` or a space), then ``|`` (also ``+``).

    >>> a, b = np.array([[False, True, False, True], [False, False, True, True]])
    >>> evaluate("!(A B) + A^B", {"A": a, "B": b}).astype(int)
    array([1, 1, 1, 0])
    """
    return _Parser(_tokens(text), text, values).whole()


class _Parser:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, tokens: list[str], text: str, values: Mapping[str, States]) -> None:
        self.tokens, self.text, self.values, self.place = tokens, text, values, 0
        self.shape = next(iter(values.values())).shape if values else (1,)

    def whole(self) -> States:
        result = self._any()
        if self.place < len(self.tokens):
            raise ValueError(f"a Boolean expression must end before {self.tokens[self.place]!r}: {self.text!r}")
        return result

    def _next(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def _take(self) -> str:
        self.place += 1
        return self.tokens[self.place - 1]

    def _any(self) -> States:
        result = self._all()
        while self._next() in OR:
            self._take()
            result = result | self._all()
        return result

    def _all(self) -> States:
        result = self._odd()
        while (token := self._next()) and token not in (*OR, ")"):
            if token in AND:
                self._take()
            result = result & self._odd()
        return result

    def _odd(self) -> States:
        result = self._one()
        while self._next() == "^":
            self._take()
            result = result ^ self._one()
        return result

    def _one(self) -> States:
        if not self._next():
            raise ValueError(f"a Boolean expression must not end here: {self.text!r}")
        token = self._take()
        if token == "!":
            return ~self._one()
        if token == "(":
            result = self._any()
            if self._next() != ")":
                raise ValueError(f"a Boolean expression must close what it opens: {self.text!r}")
            self._take()
        elif token in "01":
            result = np.full(self.shape, token == "1")
        elif token in self.values:
            result = self.values[token]
        else:
            raise ValueError(f"a Boolean expression must read pins of the cell, not {token!r}: {self.text!r}")
        while self._next() == "'":
            self._take()
            result = ~result
        return result
