"""The section COLUMNS of an MPS file, read in blocks of lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain, compress
from operator import ne

import numpy as np
import numpy.typing as npt

from milplib.formats.damage import LineError, shown
from milplib.formats.mps_sections import MARKER, Section, words_per_line
from milplib.formats.numbers import INFINITE, NotANumberError, parsed_numbers

__all__ = ["FREE", "OBJECTIVE", "Columns", "read_columns"]

OBJECTIVE, FREE = -1, -2
"""Positions of the objective and of the other free rows among the rows."""

_MARKER = -3
_INTORG, _INTEND = b"'INTORG'", b"'INTEND'"
_MARKER_KINDS = (_INTORG, _INTEND)
# Words of a line with one pair, and with two.
_SINGLE, _DOUBLE = 3, 5
# The words of a block take several times its size in memory.
_BLOCK = 1 << 23


@dataclass
class Columns:
    """Columns of an MPS file and their coefficients, as far as they are read.

    Parameters
    ----------
    names
        Names in the order of the file.
    integer
        Whether each column stands between integer markers.
    starts
        Position of each column's first coefficient.
    rows
        Rows of the coefficients; `OBJECTIVE` and `FREE` count as rows. Pieces of int32.
    values
        Coefficients. Pieces of float64.
    """

    names: list[bytes] = field(default_factory=list)
    integer: list[npt.NDArray[np.bool_]] = field(default_factory=list)
    starts: list[npt.NDArray[np.int64]] = field(default_factory=list)
    rows: list[npt.NDArray[np.int32]] = field(default_factory=list)
    values: list[npt.NDArray[np.float64]] = field(default_factory=list)
    size: int = 0
    in_integers: bool = False


def read_columns(section: Section, rows: Mapping[bytes, int]) -> Columns:
    """Read the coefficients of an MPS file.

    Parameters
    ----------
    section
        The section COLUMNS.
    rows
        Position of each row by its name, or `OBJECTIVE` or `FREE`.

    Raises
    ------
    LineError
        If a line is not a column with one or two pairs of row and coefficient, names an unknown
        row, or holds a coefficient that is no finite number.
    """
    positions = {**rows, MARKER: _MARKER}
    columns = Columns()
    body, start, line = section.body, 0, section.line + 1
    while start < len(body):
        end = body.find(b"\n", min(start + _BLOCK, len(body) - 1)) + 1 or len(body)
        block = body[start:end]
        if words := block.split():
            _read_block(columns, words, _Lines(block, words, line), positions)
        line += block.count(b"\n")
        start = end
    _check_unique(columns, section)
    return columns


def _read_block(
    columns: Columns, words: list[bytes], block: _Lines, rows: Mapping[bytes, int]
) -> None:
    if block.only_single:
        owners, names, texts = words[0::3], words[1::3], words[2::3]
    else:
        table = np.array(words, dtype=object)
        at = block.row_words
        owners = table[block.first_words].tolist()
        names, texts = table[at].tolist(), table[at + 1].tolist()
    try:
        found = np.fromiter(map(rows.__getitem__, names), np.int32, len(names))
    except KeyError:
        raise _undeclared(names, rows, block) from None
    kept = integer = None
    markers = found == _MARKER
    if markers.any():
        integer, kept = _integer_lines(columns, markers, texts, block)
        owners = list(compress(owners, kept))
        texts = list(compress(texts, ~markers))
        found = found[~markers]
        integer = integer[kept]
    values = _finite(texts, block, None if kept is None else ~markers)
    _add(columns, owners, block.entries if kept is None else block.entries[kept], integer)
    columns.rows.append(found)
    columns.values.append(values)
    columns.size += found.size


def _undeclared(names: list[bytes], rows: Mapping[bytes, int], block: _Lines) -> LineError:
    entry = next(entry for entry, name in enumerate(names) if name not in rows)
    return LineError(
        block.line_of_entry(entry),
        names[entry],
        f"names the row {shown(names[entry])}, which is not declared in ROWS",
    )


def _integer_lines(
    columns: Columns, markers: npt.NDArray[np.bool_], texts: list[bytes], block: _Lines
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return which lines of a block stand between markers, and which are no markers."""
    integer = np.empty(block.entries.size, dtype=bool)
    kept = np.ones(block.entries.size, dtype=bool)
    done = 0
    owner = block.owner_of_entry()
    for entry in np.flatnonzero(markers).tolist():
        at, kind = int(owner[entry]), texts[entry]
        if kind not in _MARKER_KINDS or block.entries[at] != 1:
            raise LineError(
                block.line_of_entry(entry), kind, "expected 'INTORG' or 'INTEND' behind 'MARKER'"
            )
        begins = kind == _INTORG
        if begins == columns.in_integers:
            raise LineError(
                block.line_of_entry(entry),
                kind,
                "integer columns begin a second time" if begins else "no integer columns end here",
            )
        integer[done:at] = columns.in_integers
        kept[at] = False
        columns.in_integers, done = begins, at
    integer[done:] = columns.in_integers
    return integer, kept


def _finite(
    texts: list[bytes], block: _Lines, entries: npt.NDArray[np.bool_] | None
) -> npt.NDArray[np.float64]:
    def line_of(position: int) -> int:
        entry = position if entries is None else int(np.flatnonzero(entries)[position])
        return block.line_of_entry(entry)

    try:
        values = parsed_numbers(texts)
    except NotANumberError as error:
        text = texts[error.position]
        raise LineError(line_of(error.position), text, "expected a coefficient") from None
    huge = np.abs(values) >= INFINITE
    if huge.any():
        position = int(huge.argmax())
        raise LineError(
            line_of(position),
            texts[position],
            f"the coefficient is infinite (from {INFINITE:g} on): scale the instance",
        )
    return values


def _add(
    columns: Columns,
    owners: list[bytes],
    entries: npt.NDArray[np.int64],
    integer: npt.NDArray[np.bool_] | None,
) -> None:
    """Append the columns that begin in a block."""
    if not owners:
        return
    last = columns.names[-1:]
    begins = np.fromiter(map(ne, owners, chain(last or [b""], owners)), np.bool_, len(owners))
    if integer is None:
        integer = np.full(len(owners), columns.in_integers)
    # A column that goes on behind a marker begins again, which is refused.
    before = columns.integer[-1][-1:] if columns.integer else integer[:1]
    begins |= integer != np.concatenate((before, integer[:-1]))
    columns.names.extend(compress(owners, begins))
    columns.starts.append(columns.size + (np.cumsum(entries) - entries)[begins])
    columns.integer.append(integer[begins])


def _check_unique(columns: Columns, section: Section) -> None:
    if len(set(columns.names)) == len(columns.names):
        return
    seen: set[bytes] = set()
    last = b""
    for line, words in section.lines():
        if words[0] != last and words[1] != MARKER:
            last = words[0]
            if last in seen:
                raise LineError(
                    line, last, "the column begins again: write all its coefficients together"
                )
            seen.add(last)


class _Lines:
    """The lines of a block that hold words."""

    def __init__(self, block: bytes, words: list[bytes], line: int) -> None:
        counts = words_per_line(block, len(words))
        filled = np.flatnonzero(counts)
        self.lines = filled + line
        counts = counts[filled]
        self.first_words = np.cumsum(counts) - counts
        wrong = (counts != _SINGLE) & (counts != _DOUBLE)
        if wrong.any():
            at = int(wrong.argmax())
            raise LineError(
                int(self.lines[at]),
                words[int(self.first_words[at + 1]) - 1] if at + 1 < counts.size else words[-1],
                "a line of COLUMNS is a column and one or two pairs of a row and a coefficient, "
                f"this one has {counts[at]} words",
            )
        self.entries = counts // 2
        self.only_single = not (counts == _DOUBLE).any()

    def owner_of_entry(self) -> npt.NDArray[np.int64]:
        """Return the position of each entry's line among the lines."""
        return np.repeat(np.arange(self.entries.size), self.entries)

    @property
    def row_words(self) -> npt.NDArray[np.int64]:
        """Position of each entry's row among the words."""
        owner = self.owner_of_entry()
        second = np.zeros(owner.size, dtype=bool)
        second[1:] = owner[1:] == owner[:-1]
        return self.first_words[owner] + np.where(second, 3, 1)

    def line_of_entry(self, entry: int) -> int:
        return int(self.lines[self.owner_of_entry()[entry]])
