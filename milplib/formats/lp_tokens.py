"""Tokens of an LP file as arrays, made in blocks of text."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt

from milplib.formats.damage import LineError
from milplib.formats.lp_block import TokenBlock
from milplib.formats.lp_words import NAME, NUMBER

__all__ = ["Tokens", "tokenized", "without_comments"]

_BLOCK = 1 << 23
_COMMENT = re.compile(rb"\\[^\n]*")
_TOKEN = re.compile(rb"[+\-:\[\]*^]|[<>=]+|[^\s+\-:<>=\[\]*^]+")
_INFINITY = (b"inf", b"infinity")
_NOT_A_NUMBER = re.compile(rb"nan(?:\(.*\))?", re.IGNORECASE)


@dataclass
class Tokens:
    """Tokens of an LP file. Arrays of one length, but for the names.

    Parameters
    ----------
    text
        The text of the file, without comments.
    kind
        One of the kinds of `milplib.formats.lp_words`, or the code of another operator. uint8.
    value
        Numbers. The code of ``<``, ``>`` or ``=`` for a relation, 1 or -1 for a sign. float64.
    name
        Position of a name in `names` or of a label in `labels`, else -1. int32.
    form
        `milplib.formats.lp_words.GLUED` for a number and the name behind it in one word,
        `FORTRAN` for a number with ``D``, else 0. uint8.
    at
        Position of the token's first character in `text`. int64.
    names, labels
        Distinct names, and all labels.
    """

    text: bytes
    kind: npt.NDArray[np.uint8]
    value: npt.NDArray[np.float64]
    name: npt.NDArray[np.int32]
    form: npt.NDArray[np.uint8]
    at: npt.NDArray[np.int64]
    names: list[bytes]
    labels: list[bytes]

    def word(self, token: int) -> bytes:
        """Return the characters of a token."""
        at = int(self.at[token])
        found = _TOKEN.match(self.text, at)
        return found[0] if found else self.text[at : at + 1]

    def line(self, token: int) -> int:
        """Return the number of a token's line, from 1."""
        return self.text.count(b"\n", 0, int(self.at[token])) + 1

    def error(self, token: int, message: str) -> LineError:
        """Return an error that names a token and its line."""
        if token >= self.at.size:
            line = self.text.rstrip().count(b"\n") + 1
            return LineError(line, b"the end of the file", message)
        return LineError(self.line(token), self.word(token), message)


def without_comments(text: bytes) -> bytes:
    """Return the text of an LP file without its comments, on the same lines."""
    return _COMMENT.sub(b"", text) if b"\\" in text else text


def tokenized(text: bytes) -> Tokens:
    r"""Split an LP file into tokens, up to ``End``.

    Raises
    ------
    LineError
        If a word is neither a number nor a name, or a sequence of operators means nothing.

    Examples
    --------
    >>> tokens = tokenized(b"max c: 3 x - y\nend")
    >>> bytes(tokens.kind), tokens.names, tokens.labels
    (b'VLNVSVV', [b'max', b'x', b'y', b'end'], [b'c'])
    """
    text = without_comments(text)
    table: defaultdict[bytes, int] = defaultdict(count().__next__)
    labels: list[bytes] = []
    blocks: list[TokenBlock] = []
    start = 0
    while start < len(text) and not (blocks and blocks[-1].ended):
        end = _end_of_block(text, start)
        blocks.append(TokenBlock(text, start, end, table, labels))
        start = end

    def joined(key: str, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        return np.concatenate([np.empty(0, dtype), *(getattr(block, key) for block in blocks)])

    tokens = Tokens(
        text=text,
        kind=joined("kind", np.uint8),
        value=joined("value", np.float64),
        name=joined("name", np.int32),
        form=joined("form", np.uint8),
        at=joined("at", np.int64),
        names=list(table),
        labels=labels,
    )
    _mark_infinity(tokens)
    for name in (name for name in tokens.names if _NOT_A_NUMBER.fullmatch(name)):
        at = (tokens.kind == NAME) & (tokens.name == table[name])
        raise tokens.error(int(at.argmax()), "this is not a number, and no name either")
    return tokens


def _end_of_block(text: bytes, start: int) -> int:
    """Return an end that parts neither a word nor a label from its colon."""
    end = start + _BLOCK
    while end < len(text):
        end = text.find(b"\n", end) + 1 or len(text)
        if not text[end : end + _BLOCK].lstrip().startswith(b":"):
            return end
    return len(text)


def _mark_infinity(tokens: Tokens) -> None:
    lengths = {len(word) for word in _INFINITY}
    infinite = [
        position
        for position, name in enumerate(tokens.names)
        if len(name) in lengths and name.lower() in _INFINITY
    ]
    if infinite:
        at = (tokens.kind == NAME) & np.isin(tokens.name, infinite)
        tokens.kind[at], tokens.value[at], tokens.name[at] = NUMBER, np.inf, -1
