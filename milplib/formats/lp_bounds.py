"""Bounds and lists of integer columns of an LP file."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from milplib.formats.damage import LineError, shown
from milplib.formats.lp_sections import LpSection
from milplib.formats.lp_terms import Words, linear_words
from milplib.formats.lp_tokens import Tokens
from milplib.formats.lp_words import GLUED, NAME, NUMBER, RELATION
from milplib.formats.numbers import INFINITE

__all__ = ["Bounds", "read_bounds", "read_list", "set_bounds"]

_LESS, _GREATER, _EQUAL = (ord(relation) for relation in "<>=")
_FREE = ord("F")
# Kinds of the words of a bound: a number on both sides, on one, or "free".
_BOUND = re.compile(rb"NRVRN|NRV|VRN|VF")
_BOUNDS = re.compile(rb"(?:NRVRN|NRV|VRN|VF)*")


@dataclass
class Bounds:
    """Bounds of a section.

    Parameters
    ----------
    columns
        Tokens of all columns.
    lower, upper
        Names, values and tokens of the lower and of the upper bounds.
    """

    columns: npt.NDArray[np.int64]
    lower: tuple[npt.NDArray[np.int32], npt.NDArray[np.float64], npt.NDArray[np.int64]]
    upper: tuple[npt.NDArray[np.int32], npt.NDArray[np.float64], npt.NDArray[np.int64]]


def read_bounds(tokens: Tokens, section: LpSection) -> Bounds:
    """Read the bounds of a section.

    Raises
    ------
    LineError
        If the section holds anything else.
    """
    words = linear_words(tokens, section.start, section.stop)
    words.refuse((words.kind == NUMBER) & (words.form == GLUED), "expected a number")
    _mark_free(words)
    kinds = words.kind.tobytes()
    whole = _BOUNDS.match(kinds)
    end = whole.end() if whole else 0
    if end < len(kinds):
        _refuse(words, end, section)
    words.refuse(words.signed & (words.kind != NUMBER), "a sign before the name of a column")
    found = [match.span() for match in _BOUND.finditer(kinds)]
    start, stop = np.array(found, dtype=np.int64).reshape(-1, 2).T
    number_first = words.kind[start] == NUMBER
    free = words.kind[stop - 1] == _FREE
    two = stop - start == 5
    column_at = np.where(number_first, start + 2, start)
    sides: list[tuple[list[npt.NDArray[np.int64]], list[npt.NDArray[np.float64]]]] = [
        ([], []),
        ([], []),
    ]

    def put(chosen: npt.NDArray[np.bool_], lower: bool, values: npt.NDArray[np.float64]) -> None:
        at, given = sides[0 if lower else 1]
        at.append(column_at[chosen])
        given.append(values[chosen])

    infinite = np.full(start.size, np.inf)
    put(free, True, -infinite)
    put(free, False, infinite)
    first_value = words.value[start]
    first_relation = words.value[np.minimum(start + 1, words.kind.size - 1)]
    last_value = words.value[stop - 1]
    last_relation = words.value[stop - 2]
    wrong = np.zeros(words.kind.size, dtype=bool)
    wrong[start[two & ((first_relation != last_relation) | (first_relation == _EQUAL))]] = True
    words.refuse(wrong, "a column between two numbers has two times '<=' or two times '>='")
    put(number_first & (first_relation != _GREATER), True, first_value)
    put(number_first & (first_relation != _LESS), False, first_value)
    last = (two | ~number_first) & ~free
    put(last & (last_relation != _LESS), True, last_value)
    put(last & (last_relation != _GREATER), False, last_value)
    return Bounds(words.at[column_at], *(_joined(words, at, values) for at, values in sides))


def _joined(
    words: Words, at: list[npt.NDArray[np.int64]], values: list[npt.NDArray[np.float64]]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    position, value = np.concatenate(at), np.concatenate(values)
    huge = np.abs(value) >= INFINITE
    value[huge] = np.copysign(np.inf, value[huge])
    return words.name[position], value, words.at[position]


def _mark_free(words: Words) -> None:
    free = [
        position
        for position, name in enumerate(words.tokens.names)
        if len(name) == 4 and name.lower() == b"free"
    ]
    if free:
        at = words.before(NAME) & (words.kind == NAME) & np.isin(words.name, free)
        words.kind[at & ~words.signed] = _FREE


def _refuse(words: Words, position: int, section: LpSection) -> None:
    """Raise an error for the first words of a section that are no bound."""
    kinds = words.kind[position : position + 3].tobytes()
    token = int(words.at[position])
    message = "expected a bound: '0 <= x <= 4', 'x >= 1', 'x = 2' or 'x free'"
    if kinds.startswith(b"VR") or kinds.startswith(b"NR"):
        behind = position + 2
        token = int(words.at[behind]) if behind < words.at.size else section.stop
        message = (
            "expected a number behind the relation"
            if kinds[:1] == b"V"
            else "expected a column behind the relation"
        )
    elif kinds[:1] == b"R":
        message = "the bound before this relation is complete"
    raise words.tokens.error(token, message)


def set_bounds(
    tokens: Tokens,
    array: npt.NDArray[np.float64],
    columns: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64],
    at: npt.NDArray[np.int64],
    which: str,
) -> None:
    """Set the lower or upper bounds of columns.

    Parameters
    ----------
    tokens
        Tokens of the file.
    array
        Bounds with their defaults, to change. Shape (n,).
    columns, values, at
        Columns, their bounds, and the tokens that give them.
    which
        ``"lower"`` or ``"upper"``.

    Raises
    ------
    LineError
        If a column has two bounds that differ, for which programs differ, or one that no number
        reaches.
    """
    wrong = values == (np.inf if which == "lower" else -np.inf)
    if wrong.any():
        raise tokens.error(
            int(at[wrong.argmax()]), f"the {which} bound is {values[wrong][0]:g}: no number fits"
        )
    order = np.argsort(columns, kind="stable")
    column, value = columns[order], values[order]
    differ = (column[1:] == column[:-1]) & (value[1:] != value[:-1])
    if differ.any():
        first, second = order[int(differ.argmax())], order[int(differ.argmax()) + 1]
        if at[first] > at[second]:
            first, second = second, first
        raise _second_bound(tokens, int(at[first]), int(at[second]), values[[first, second]], which)
    array[columns] = values


def _second_bound(
    tokens: Tokens, first: int, second: int, values: npt.NDArray[np.float64], which: str
) -> LineError:
    return tokens.error(
        second,
        f"a second {which} bound of {shown(tokens.word(second))}, {values[1]:g} after "
        f"{values[0]:g} in line {tokens.line(first)}: remove one",
    )


def read_list(tokens: Tokens, section: LpSection) -> npt.NDArray[np.int64]:
    """Return the tokens of a list of names.

    Raises
    ------
    LineError
        If the section holds anything but names.
    """
    kind = tokens.kind[section.start : section.stop]
    wrong = kind != NAME
    if wrong.any():
        token = section.start + int(wrong.argmax())
        message = "expected the name of a column"
        if tokens.kind[token] in (NUMBER, RELATION):
            message += f" in the list '{section.title.decode()}'"
        raise tokens.error(token, message)
    if (glued := tokens.form[section.start : section.stop] == GLUED).any():
        raise tokens.error(section.start + int(glued.argmax()), "expected the name of a column")
    return np.arange(section.start, section.stop)
