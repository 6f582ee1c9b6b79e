"""The section BOUNDS of an MPS file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from milplib.formats.damage import LineError, shown
from milplib.formats.mps_sections import Section
from milplib.formats.numbers import INFINITE, parsed_number

__all__ = ["ColumnBounds", "read_bounds"]

_WITH_VALUE = (b"LO", b"UP", b"FX", b"LI", b"UI")
_PAIR = 2
_INTEGER = (b"BV", b"LI", b"UI")
_SEMI = {b"SC": "semi-continuous", b"SI": "semi-integer"}
# Numbers that programs write where a type of bound needs none, and that do not contradict it.
_FILLERS: dict[bytes, tuple[float, ...]] = {
    b"FR": (0.0, -np.inf, np.inf),
    b"MI": (0.0, -np.inf),
    b"PL": (0.0, np.inf),
    b"BV": (0.0, 1.0),
}


@dataclass
class ColumnBounds:
    """Bounds and integrality of the columns. Arrays of shape (n,)."""

    lower: npt.NDArray[np.float64]
    upper: npt.NDArray[np.float64]
    integer: npt.NDArray[np.bool_]


def read_bounds(
    part: Section | None, names: Sequence[bytes], integer: npt.NDArray[np.bool_]
) -> ColumnBounds:
    """Read the bounds of an MPS file.

    A column without a bound is at least 0. An integer column between markers is at most 1 unless a
    bound says otherwise. A bound of any type takes this default away.

    Parameters
    ----------
    part
        The section BOUNDS, if the file has one.
    names
        Names of the columns.
    integer
        Whether each column stands between markers.

    Raises
    ------
    LineError
        If a line is no bound, names an unknown column, or contradicts an earlier one; if it makes
        a column semi-continuous; or if a column has a negative upper bound and no lower one, for
        which solvers differ.
    """
    reader = _Bounds(names)
    if part is not None:
        for line, words in part.lines():
            reader.read(line, words)
    reader.check_negative()
    n = len(names)
    lower, upper = np.zeros(n), np.where(integer, 1.0, np.inf)
    integral = integer.copy()
    upper[list(reader.bounded)] = np.inf
    for side, array in ((reader.lower, lower), (reader.upper, upper)):
        array[list(side)] = [value for value, _ in side.values()]
    integral[list(reader.integer)] = True
    return ColumnBounds(lower, upper, integral)


class _Bounds:
    """What the lines read so far say: value and line of each bound by column."""

    def __init__(self, names: Sequence[bytes]) -> None:
        self._names = names
        self._index = {name: column for column, name in enumerate(names)}
        self._set: bytes | None = None
        self.lower: dict[int, tuple[float, int]] = {}
        self.upper: dict[int, tuple[float, int]] = {}
        self.bounded: set[int] = set()
        self.integer: set[int] = set()

    def read(self, line: int, words: list[bytes]) -> None:
        kind = words[0]
        if kind in _SEMI:
            raise LineError(
                line,
                kind,
                f"this type of bound makes a column {_SEMI[kind]}; an instance is a mixed-integer "
                "linear program: reformulate it with a binary column",
            )
        if kind not in _WITH_VALUE and kind not in _FILLERS:
            raise LineError(
                line, kind, "expected a type of bound: LO, UP, FX, FR, MI, PL, BV, LI or UI"
            )
        name, column, text = self._fields(line, words)
        if self._set is None:
            self._set = name
        elif name != self._set:
            raise LineError(
                line,
                name or words[1],
                f"a second set of bounds behind {shown(self._set)}; an instance has one: remove "
                "the other, or name both alike",
            )
        value = 0.0 if text is None else _number(line, text)
        self.bounded.add(column)
        if kind in _INTEGER:
            self.integer.add(column)
        if kind in (b"LO", b"LI", b"FX"):
            self._put(self.lower, line, column, value, "lower")
        if kind in (b"UP", b"UI", b"FX"):
            self._put(self.upper, line, column, value, "upper")
        if kind in _FILLERS:
            if text is not None and value not in _FILLERS[kind]:
                raise LineError(
                    line, text, f"a bound of type {kind.decode()} has no number: remove it"
                )
            if kind in (b"FR", b"MI"):
                self._put(self.lower, line, column, -np.inf, "lower")
            if kind in (b"FR", b"PL"):
                self._put(self.upper, line, column, np.inf, "upper")
            if kind == b"BV":
                self._put(self.lower, line, column, 0.0, "lower")
                self._put(self.upper, line, column, 1.0, "upper")

    def _fields(self, line: int, words: list[bytes]) -> tuple[bytes, int, bytes | None]:
        """Return set, column and number of a line; the set may be missing."""
        kind, *rest = words
        text: bytes | None = None
        # "FR x 0" has a number, "FR BND x" a set; the column that it names tells which.
        unnamed = len(rest) == _PAIR and rest[1] not in self._index and rest[0] in self._index
        if kind in _WITH_VALUE or len(rest) > _PAIR or unnamed:
            *rest, text = rest
        if not 1 <= len(rest) <= _PAIR:
            raise LineError(
                line,
                b" ".join(words),
                f"a bound of type {kind.decode()} is a name, which may be missing, a column"
                + (" and a number" if kind in _WITH_VALUE else ""),
            )
        column = self._index.get(rest[-1])
        if column is None:
            raise LineError(
                line,
                rest[-1] if text is None or parsed_number(text) is not None else text,
                f"the bound is of the column {shown(rest[-1])}, which is not declared in COLUMNS"
                + ("" if text is None else f", and {shown(text)} is its number"),
            )
        return (rest[0] if len(rest) > 1 else b""), column, text

    def _put(
        self, side: dict[int, tuple[float, int]], line: int, column: int, value: float, which: str
    ) -> None:
        wrong = np.inf if which == "lower" else -np.inf
        name = self._names[column]
        if value == wrong:
            raise LineError(line, name, f"the {which} bound is {value:g}, which no number reaches")
        before = side.setdefault(column, (value, line))
        if before[0] != value:
            raise LineError(
                line,
                name,
                f"a second {which} bound, {value:g} after {before[0]:g} in line {before[1]}: "
                "remove one",
            )

    def check_negative(self) -> None:
        for column, (value, line) in self.upper.items():
            if value < 0 and column not in self.lower:
                raise LineError(
                    line,
                    self._names[column],
                    "a negative upper bound without a lower one: some solvers take 0 for the lower "
                    "bound, others -infinity; add a line of type LO or MI",
                )


def _number(line: int, text: bytes) -> float:
    value = parsed_number(text)
    if value is None:
        raise LineError(line, text, "expected a number")
    return value if abs(value) < INFINITE else float(np.copysign(np.inf, value))
