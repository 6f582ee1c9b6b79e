"""The sections RHS and RANGES of an MPS file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from milplib.formats.damage import LineError, shown
from milplib.formats.mps_columns import FREE, OBJECTIVE
from milplib.formats.mps_sections import Section
from milplib.formats.numbers import INFINITE, parsed_number

__all__ = ["Sides"]

_MOST_PAIRS = 2


class Sides:
    """Sides of the rows of an MPS file, from their senses, right-hand sides and ranges.

    Parameters
    ----------
    index
        Position of each row by its name.
    senses
        ``L``, ``G`` or ``E`` for each row.

    Attributes
    ----------
    of_objective
        Right-hand side of the objective, which is the constant with the opposite sign.
    """

    def __init__(self, index: Mapping[bytes, int], senses: Sequence[bytes]) -> None:
        self.of_objective = 0.0
        self._index = index
        self._senses = senses
        self._right = np.zeros(len(senses))
        self._ranges: dict[int, tuple[float, int, bytes]] = {}

    def read_right_hand_sides(self, part: Section) -> None:
        """Read the section RHS."""
        seen: dict[int, int] = {}
        for line, name, text in _pairs(part):
            row, value = self._position(line, name), _number(line, text)
            if row == FREE:
                continue
            if row in seen:
                raise LineError(
                    line,
                    name,
                    f"a second right-hand side of row {shown(name)}, after line {seen[row]}: "
                    "remove one",
                )
            seen[row] = line
            if row == OBJECTIVE:
                if not np.isfinite(value):
                    raise LineError(line, text, "the constant of the objective is infinite")
                self.of_objective = value
                continue
            wrong = {b"L": -np.inf, b"G": np.inf}.get(self._senses[row])
            if value == wrong or (wrong is None and np.isinf(value)):
                raise LineError(line, text, f"no number satisfies the row {shown(name)}")
            self._right[row] = value

    def read_ranges(self, part: Section) -> None:
        """Read the section RANGES."""
        for line, name, text in _pairs(part):
            row, value = self._position(line, name), _number(line, text)
            if row < 0:
                raise LineError(line, name, f"a range of the free row {shown(name)}")
            if row in self._ranges:
                raise LineError(
                    line,
                    name,
                    f"a second range of row {shown(name)}, after line {self._ranges[row][1]}: "
                    "remove one",
                )
            self._ranges[row] = (value, line, text)

    def result(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return lower and upper sides."""
        senses = np.array(self._senses, dtype="S1")
        lower = np.where(senses == b"L", -np.inf, self._right)
        upper = np.where(senses == b"G", np.inf, self._right)
        for row, (value, line, text) in self._ranges.items():
            if np.isinf(self._right[row]):
                raise LineError(line, text, "a range of a row with an infinite right-hand side")
            downwards = value < 0 if self._senses[row] == b"E" else self._senses[row] == b"L"
            if downwards:
                lower[row] = upper[row] - abs(value)
            else:
                upper[row] = lower[row] + abs(value)
        return lower, upper

    def _position(self, line: int, name: bytes) -> int:
        row = self._index.get(name)
        if row is None:
            raise LineError(
                line, name, f"names the row {shown(name)}, which is not declared in ROWS"
            )
        return row


def _number(line: int, text: bytes) -> float:
    value = parsed_number(text)
    if value is None:
        raise LineError(line, text, "expected a number")
    return value if abs(value) < INFINITE else float(np.copysign(np.inf, value))


def _pairs(part: Section) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield line, row and number; a name of the set may stand before them."""
    first_set: bytes | None = None
    for line, words in part.lines():
        name = words.pop(0) if len(words) % 2 else b""
        if not 1 <= len(words) // 2 <= _MOST_PAIRS:
            raise LineError(
                line,
                b" ".join([name, *words]).strip(),
                f"a line of {part.keyword} is a name, which may be missing, and one or two pairs "
                "of a row and a number",
            )
        if first_set is None:
            first_set = name
        elif name != first_set:
            raise LineError(
                line,
                name or words[0],
                f"a second set of {part.keyword} behind {shown(first_set)}; an instance has one: "
                "remove the other, or name both alike",
            )
        for position in range(0, len(words), 2):
            yield line, words[position], words[position + 1]
