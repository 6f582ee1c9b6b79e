"""The objective and the rows of an LP file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from milplib.formats.lp_sections import LpSection
from milplib.formats.lp_terms import Words, coefficients, linear_words
from milplib.formats.lp_tokens import Tokens
from milplib.formats.lp_words import FORTRAN, GLUED, LABEL, NAME, NUMBER, RELATION
from milplib.formats.numbers import INFINITE

__all__ = ["Objective", "Rows", "read_objective", "read_rows"]

_LESS, _GREATER, _EQUAL = (ord(relation) for relation in "<>=")
_NO_SIGN = "expected '+', '-' or a relation before it"


@dataclass
class Objective:
    """Names and coefficients of the objective's terms, and the sum of its constants."""

    names: npt.NDArray[np.int32]
    values: npt.NDArray[np.float64]
    offset: float


@dataclass
class Rows:
    """Rows of a section: positions of their labels or -1, sides, and terms row by row."""

    labels: npt.NDArray[np.int32]
    lower: npt.NDArray[np.float64]
    upper: npt.NDArray[np.float64]
    term_rows: npt.NDArray[np.int64]
    names: npt.NDArray[np.int32]
    values: npt.NDArray[np.float64]


def read_objective(tokens: Tokens, section: LpSection) -> Objective:
    """Read the terms and constants of the objective.

    Raises
    ------
    LineError
        If the section is not a sum of terms and constants, with or without a name.
    """
    words = linear_words(tokens, section.start, section.stop)
    kind = words.kind
    words.refuse(kind == RELATION, "a relation in the objective: 'subject to' is missing")
    label = kind == LABEL
    first = np.zeros(kind.size, dtype=bool)
    first[:1] = True
    words.refuse(label & ~first, "a second name in the objective")
    number, name = kind == NUMBER, kind == NAME
    unsigned_next = np.append(~words.signed[1:], False)
    coefficient = number & words.after(NAME) & unsigned_next
    constant = number & ~coefficient
    begins = first | words.before(LABEL)
    own = np.append(False, coefficient[:-1])[: kind.size]
    words.refuse((name & ~own | number) & ~words.signed & ~begins, _NO_SIGN)
    words.refuse(
        constant & (words.form == FORTRAN),
        "this may be a number or a coefficient and a column: write E for D, or a blank",
    )
    words.refuse(constant & (np.abs(words.value) >= INFINITE), "the constant is infinite")
    values = coefficients(words, coefficient)[name]
    return Objective(words.name[name], values, float(words.value[constant].sum()))


def read_rows(tokens: Tokens, section: LpSection) -> Rows:
    """Read the rows of a section of constraints.

    A row is a sum of terms, a relation and a number, or a number, a relation, a sum, the same
    relation and a number. A name may stand before it.

    Raises
    ------
    LineError
        If the section holds anything else.
    """
    words = linear_words(tokens, section.start, section.stop)
    kind = words.kind
    number, name, relation = kind == NUMBER, kind == NAME, kind == RELATION
    left = _left_numbers(words)
    left_relation = np.append(False, left[:-1])[: kind.size]
    right = number & np.append(False, (relation & ~left_relation)[:-1])[: kind.size]
    words.refuse(
        relation & ~left_relation & ~words.after(NUMBER), "expected a number behind the relation"
    )
    words.refuse((right | left) & (words.form == GLUED), "expected a number")
    ends = np.append(True, right[:-1])[: kind.size]  # whether a row ends before the word
    label = kind == LABEL
    words.refuse(label & ~ends, "the row before it is not finished")
    unsigned_next = np.append(~words.signed[1:], False)
    coefficient = number & ~right & ~left & words.after(NAME) & unsigned_next
    words.refuse(
        right & words.after(RELATION),
        "a relation follows the right-hand side; write a row with two sides as '1 <= x + y <= 5'",
    )
    words.refuse(
        number & ~right & ~left & ~coefficient,
        "no constant values allowed for constraints: write the number behind the relation",
    )
    _check_beginnings(words, right & (words.after(NAME) | words.after(NUMBER)))
    own = np.append(False, coefficient[:-1])[: kind.size]
    begins = ends | words.before(LABEL) | words.before(RELATION)
    words.refuse((name & ~own | coefficient) & ~words.signed & ~begins, _NO_SIGN)
    row = np.cumsum(ends) - 1
    n_rows = int(right.sum())
    if (kind.size and row[-1] >= n_rows) or (kind.size and not right[-1]):
        raise tokens.error(section.stop, "the row before it is not finished")
    lower, upper = _sides(words, row, relation & ~left_relation, right, left)
    labels = np.full(n_rows, -1, dtype=np.int32)
    labels[row[label]] = words.name[label]
    _check_not_empty(words, row, name, label, n_rows)
    values = coefficients(words, coefficient)[name]
    return Rows(labels, lower, upper, row[name], words.name[name], values)


def _check_beginnings(words: Words, ending: npt.NDArray[np.bool_]) -> None:
    """Check that rows without a name begin on a line of their own.

    On the line of the number before, they look like more terms of that side.
    """
    before = np.flatnonzero(ending)
    if not before.size:
        return
    text = np.frombuffer(words.tokens.text, dtype=np.uint8)
    breaks = np.flatnonzero((text == ord("\n")) | (text == ord("\r")))
    place = words.tokens.at[words.at]
    same = np.searchsorted(breaks, place[before]) == np.searchsorted(breaks, place[before + 1])
    wrong = np.zeros(words.kind.size, dtype=bool)
    wrong[before[same] + 1] = True
    words.refuse(
        wrong,
        "it stands behind the right-hand side: bring it to the left side, or begin the next row "
        "on a line of its own or with a name",
    )


def _left_numbers(words: Words) -> npt.NDArray[np.bool_]:
    """Return which numbers are left sides: before a relation, at the beginning of a row."""
    begins = words.before(LABEL) | words.before(NUMBER)
    begins[:1] = True
    result: npt.NDArray[np.bool_] = (words.kind == NUMBER) & words.after(RELATION) & begins
    return result


def _sides(
    words: Words,
    row: npt.NDArray[np.int64],
    relation: npt.NDArray[np.bool_],
    right: npt.NDArray[np.bool_],
    left: npt.NDArray[np.bool_],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    sense = words.value[relation]
    side = _with_infinity(words.value[right])
    lower = np.where(sense == _LESS, -np.inf, side)
    upper = np.where(sense == _GREATER, np.inf, side)
    wrong = np.zeros(words.kind.size, dtype=bool)
    wrong[right] = np.isposinf(lower) | np.isneginf(upper)
    words.refuse(wrong, "no number satisfies the row")
    if left.any():
        at = row[left]
        first = np.append(words.value[1:], 0.0)[left]
        other = _with_infinity(words.value[left])
        wrong[left] = (first != sense[at]) | (first == _EQUAL)
        words.refuse(wrong, "a row with two sides has two times '<=' or two times '>='")
        wrong[left] = np.where(first == _LESS, np.isposinf(other), np.isneginf(other))
        words.refuse(wrong, "no number satisfies the row")
        lower[at] = np.where(first == _LESS, other, lower[at])
        upper[at] = np.where(first == _GREATER, other, upper[at])
    return lower, upper


def _with_infinity(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    huge = np.abs(values) >= INFINITE
    result: npt.NDArray[np.float64] = np.where(huge, np.copysign(np.inf, values), values)
    return result


def _check_not_empty(
    words: Words,
    row: npt.NDArray[np.int64],
    name: npt.NDArray[np.bool_],
    label: npt.NDArray[np.bool_],
    n_rows: int,
) -> None:
    filled = np.zeros(n_rows, dtype=bool)
    filled[row[name]] = True
    filled[row[label]] = True
    if not filled.all():
        empty = int(filled.argmin())
        words.refuse(row == empty, f"row {empty + 1} has neither a name nor columns")
