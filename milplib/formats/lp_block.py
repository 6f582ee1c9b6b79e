"""One block of an LP file's text, split into tokens."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import compress

import numpy as np
import numpy.typing as npt

from milplib.formats.damage import LineError
from milplib.formats.lp_words import FORTRAN, GLUED, LABEL, NAME, NUMBER, RELATION, SIGN
from milplib.formats.numbers import NotANumberError, parsed_number, parsed_numbers

__all__ = ["TokenBlock"]

_Mask = npt.NDArray[np.bool_]


def _table(characters: bytes) -> _Mask:
    return np.isin(np.arange(256), list(characters))


_IS_OPERATOR = _table(b"+-:<>=[]*^")
_IS_RELATION = _table(b"<>=")
_IS_DIGIT = _table(b"0123456789")
_IN_NUMBER = _table(b"0123456789.")
_NEGATES = _table(b"!~")
# Two characters that are one relation.
_PAIRS = [pair[0] * 256 + pair[1] for pair in (b"<=", b"=<", b">=", b"=>", b"==")]
# A name behind a number may not begin with E, which would be an exponent.
_GLUED = re.compile(
    rb"((?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?)([A-DF-Za-df-z\x80-\xff].*)", re.DOTALL
)
_LOOK_BACK = 256
_HEXADECIMAL = re.compile(rb"0[xX][0-9a-fA-F]")
_END = re.compile(rb"(?<![^\s+\-:<>=\[\]*^])end(?![^\s+\-<>=\[\]*^])(?!\s*:)")


class TokenBlock:
    """Arrays of the tokens of a block, as `milplib.formats.lp_tokens.Tokens` describes them.

    Parameters
    ----------
    text, start, end
        The block is ``text[start:end]``.
    table
        Position of each name; new names are added.
    labels
        Labels before this block; those of the block are appended.
    """

    def __init__(
        self,
        text: bytes,
        start: int,
        end: int,
        table: defaultdict[bytes, int],
        labels: list[bytes],
    ) -> None:
        self._text, self._start = text, start
        block = text[start:end]
        self.ended = False
        if (stop := self._find_end(block)) is not None:
            self.ended = True
            block = block[:stop]
        characters = np.frombuffer(block, dtype=np.uint8)
        operator = _IS_OPERATOR[characters]
        space = characters <= ord(" ")
        self._keep_exponents(characters, operator, space)
        word = ~(operator | space)
        begins = word.copy()
        begins[1:] &= ~word[:-1]
        split = characters.copy()
        split[operator] = ord(" ")
        words = split.tobytes().split()
        at = np.flatnonzero(begins | operator)
        is_word = ~operator[at]
        self.at = at + start
        self.kind = characters[at].copy()
        self.value = np.zeros(at.size)
        self.name = np.full(at.size, -1, dtype=np.int32)
        self.form = np.zeros(at.size, dtype=np.uint8)
        self._mark_operators(characters, at, is_word)
        self._mark_words(characters, at, is_word, words, table, labels)

    def _error(self, token: int, text: bytes, message: str) -> LineError:
        line = self._text.count(b"\n", 0, int(self.at[token])) + 1
        return LineError(line, text, message)

    @staticmethod
    def _find_end(block: bytes) -> int | None:
        """Return where the block ends by the word ``End``, or None."""
        lowered = block.lower()
        if b"end" not in lowered:
            return None
        for found in _END.finditer(lowered):
            # A sign, number or relation before it makes it a name, which is refused later.
            before = lowered[max(0, found.start() - _LOOK_BACK) : found.start()].rstrip()
            if not before.endswith((b"+", b"-", b"<", b"=", b">")):
                return found.end()
        return None

    @staticmethod
    def _keep_exponents(characters: npt.NDArray[np.uint8], operator: _Mask, space: _Mask) -> None:
        """Make the sign in ``1e+5`` a part of the word."""
        signs = np.flatnonzero((characters == ord("+")) | (characters == ord("-")))
        signs = signs[(signs >= 2) & (signs < characters.size - 1)]
        before = characters[signs - 1] | 0x20  # lower case
        signs = signs[
            (before == ord("e"))
            & _IN_NUMBER[characters[signs - 2]]
            & _IS_DIGIT[characters[signs + 1]]
        ]
        if not signs.size:
            return
        outside = np.flatnonzero(operator | space)
        position = np.searchsorted(outside, signs - 1) - 1
        starts = np.where(position < 0, 0, outside[position] + 1)
        other = np.cumsum(~_IN_NUMBER[characters])
        until = other[signs - 2] - np.where(starts > 0, other[starts - 1], 0)
        operator[signs[until == 0]] = False

    def _mark_operators(
        self, characters: npt.NDArray[np.uint8], at: npt.NDArray[np.int64], is_word: _Mask
    ) -> None:
        """Set kinds and values of signs and relations; drop the second character of ``<=``."""
        plus, minus = self.kind == ord("+"), self.kind == ord("-")
        plus, minus = plus & ~is_word, minus & ~is_word
        self.value[plus], self.value[minus] = 1.0, -1.0
        self.kind[plus | minus] = SIGN
        relation = np.flatnonzero(_IS_RELATION[self.kind] & ~is_word)
        self.value[relation] = self.kind[relation]
        negated = _NEGATES[characters[at[relation] - 1]] & (at[relation] > 0)
        if negated.any():
            token = int(relation[negated.argmax()])
            where = int(at[token])
            text = self._text[self._start + where - 1 : self._start + where + 1]
            raise self._error(token, text, "an LP file knows the relations <=, >= and = only")
        self.kind[relation] = RELATION
        pairs = relation[:-1][np.diff(at[relation]) == 1]
        first, second = characters[at[pairs]], characters[at[pairs + 1]]
        known = np.isin(first.astype(np.int64) * 256 + second, _PAIRS)
        known[1:] &= np.diff(pairs) > 1
        if not known.all():
            token = int(pairs[known.argmin()])
            text = characters[int(at[token]) : int(at[token]) + 2].tobytes()
            raise self._error(token, text, "an LP file knows the relations <=, >= and = only")
        self.value[pairs] = np.where(first == ord("="), second, first)
        self._dropped = pairs + 1

    def _mark_words(
        self,
        characters: npt.NDArray[np.uint8],
        at: npt.NDArray[np.int64],
        is_word: _Mask,
        words: list[bytes],
        table: defaultdict[bytes, int],
        labels: list[bytes],
    ) -> None:
        """Set kinds, values and names of words; drop the colons of labels."""
        tokens = np.flatnonzero(is_word)
        colon = np.append((self.kind == ord(":")) & ~is_word, False)
        label = colon[tokens + 1]
        first = characters[at[tokens]]
        second = np.append(characters, ord(" "))[at[tokens] + 1]
        number = _IS_DIGIT[first] | ((first == ord(".")) & _IS_DIGIT[second])
        number &= ~label
        name = ~label & ~number
        self.kind[tokens] = np.where(label, LABEL, np.where(number, NUMBER, NAME))
        known = len(labels)
        labels.extend(compress(words, label))
        self.name[tokens[label]] = np.arange(known, len(labels))
        found = map(table.__getitem__, compress(words, name))
        self.name[tokens[name]] = np.fromiter(found, np.int32, int(name.sum()))
        texts = list(compress(words, number))
        try:
            self.value[tokens[number]] = parsed_numbers(texts)
            irregular = b"d" in (joined := b" ".join(texts)) or b"D" in joined
        except NotANumberError:
            irregular = True
        glued = self._read_numbers(texts, tokens[number], table) if irregular else []
        kept = np.ones(at.size, dtype=bool)
        kept[self._dropped] = False
        kept[tokens[label] + 1] = False
        self._keep(kept, glued)

    def _read_numbers(
        self, texts: list[bytes], tokens: npt.NDArray[np.int64], table: defaultdict[bytes, int]
    ) -> list[tuple[int, int, int]]:
        """Read numbers that may be one word with a name.

        Returns
        -------
        list of (int, int, int)
            Token, length of the number and name of each such word.
        """
        glued = []
        for text, token in zip(texts, tokens.tolist(), strict=True):
            value = parsed_number(text)
            if value is not None:
                self.value[token] = value
                self.form[token] = FORTRAN if b"d" in text.lower() else 0
                continue
            parts = _GLUED.fullmatch(text)
            if parts is None or _HEXADECIMAL.match(text):
                raise self._error(token, text, "this is neither a number nor a name")
            self.value[token] = float(parts[1])
            self.form[token] = GLUED
            glued.append((token, len(parts[1]), table[parts[2]]))
        return glued

    def _keep(self, kept: _Mask, glued: list[tuple[int, int, int]]) -> None:
        """Drop tokens, and put a name behind each number that was one word with it."""
        order = np.arange(self.at.size)
        if glued:
            token, length, name = (np.array(part) for part in zip(*glued, strict=True))
            self.kind = np.append(self.kind, np.full(token.size, NAME, np.uint8))
            self.value = np.append(self.value, np.zeros(token.size))
            self.name = np.append(self.name, name.astype(np.int32))
            self.form = np.append(self.form, np.full(token.size, GLUED, np.uint8))
            self.at = np.append(self.at, self.at[token] + length)
            kept = np.append(kept, np.ones(token.size, dtype=bool))
            order = np.argsort(self.at, kind="stable")
        order = order[kept[order]]
        self.kind, self.value, self.name = self.kind[order], self.value[order], self.name[order]
        self.form, self.at = self.form[order], self.at[order]
