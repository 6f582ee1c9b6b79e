"""CSV files of the mirror: each row holds an instance, written like a Python bytes literal."""

from __future__ import annotations

import ast
import csv
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from milplib.errors import SourceError
from milplib.formats import SUFFIXES
from milplib.library.manifest import BrokenInstance

__all__ = ["CsvInstance", "csv_instances", "decoded"]

_TEXT, _FORMAT = "MILP", "format"
_FIELD_LIMIT = 1 << 30  # characters
_NEW_ROW = re.compile(r"""[^,"]*,"?b['"]""")
_MPS = re.compile(rb"(?:\*[^\n]*\n|\s)*(?:NAME|ROWS|OBJSENSE)\b")
_GZIP = b"\x1f\x8b"
_FORMATS = {suffix.removeprefix(".") for suffix in SUFFIXES}


@dataclass(frozen=True)
class CsvInstance:
    """A row of a CSV file of the mirror.

    Parameters
    ----------
    number
        Number of the row in the file, starting from 0.
    suffix
        Suffix of the instance's file, such as ``".lp"``.
    content
        Bytes of the instance's file.
    """

    number: int
    suffix: str
    content: bytes


def csv_instances(path: Path) -> Iterator[CsvInstance | BrokenInstance]:
    r"""Read a CSV file of the mirror row by row, with one row in memory at a time.

    The column ``MILP`` holds the instance as plain text or as the ``repr`` of its bytes. The
    column ``format``, ``lp`` or ``mps``, is optional. Other columns are ignored. A row that is
    truncated or cannot be decoded yields a broken instance, and reading continues after it.

    Raises
    ------
    SourceError
        If the file cannot be read, or has no column ``MILP``.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "train.csv"
    >>> _ = path.write_text(",MILP,format\n0,\"b'minimize OBJ: x\\nEnd'\",lp\n1,b'min\n")
    >>> first, second = csv_instances(path)
    >>> first.suffix, first.content
    ('.lp', b'minimize OBJ: x\nEnd')
    >>> second.reason
    'the row has 2 fields instead of 3'
    """
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
            yield from _instances(stream, path)
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror or error}") from error


def _instances(stream: TextIO, path: Path) -> Iterator[CsvInstance | BrokenInstance]:
    rows = _Rows(stream)
    columns = next(rows, [])
    if isinstance(columns, str) or columns.count(_TEXT) != 1:
        shown = ", ".join(map(repr, columns[:6])) if isinstance(columns, list) else columns
        raise SourceError(
            f"{path} is no file of the mirror: expected one column '{_TEXT}' and optionally "
            f"'{_FORMAT}'; it has {shown[:200] or 'nothing'}"
        )
    at = columns.index(_TEXT)
    at_format = columns.index(_FORMAT) if _FORMAT in columns else None
    number = -1
    for row in rows:
        if row == []:
            continue  # a blank line
        number += 1
        try:
            if isinstance(row, str):
                raise SourceError(row)
            if len(row) != len(columns):
                raise SourceError(f"the row has {len(row)} fields instead of {len(columns)}")
            content = decoded(row[at])
            suffix = _suffix(content, row[at_format] if at_format is not None else "")
        except SourceError as error:
            yield BrokenInstance(f"row {number} of {path.name}", str(error))
        else:
            yield CsvInstance(number, suffix, content)


class _Rows(Iterator[list[str] | str]):
    """Rows of a CSV file. A malformed row is replaced by its error message."""

    def __init__(self, stream: TextIO) -> None:
        self._lines = _Lines(stream)
        self._reader = csv.reader(self._lines, strict=True)

    def __next__(self) -> list[str] | str:
        self._lines.begin_row()
        limit = csv.field_size_limit(_FIELD_LIMIT)  # the limit is global to the csv module
        try:
            return next(self._reader)
        except csv.Error as error:
            return f"the row is cut off or no CSV ({error})"
        finally:
            csv.field_size_limit(limit)


class _Lines(Iterator[str]):
    """Lines of a CSV file. The iterator stops after a truncated row, and can be continued.

    A row without its last quote would absorb all rows after it. The repr of bytes contains no
    line breaks, so every line that starts like a row is a new row.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._next = ""
        self._is_inside = False

    def begin_row(self) -> None:
        """Treat the next line as the first line of a row."""
        self._is_inside = False

    def __next__(self) -> str:
        line, self._next = self._next or self._stream.readline(), ""
        if not line:
            raise StopIteration
        begins_row = _NEW_ROW.match(line) is not None
        if self._is_inside and begins_row:
            self._next = line
            raise StopIteration
        self._is_inside |= begins_row
        return line


def decoded(text: str) -> bytes:
    r"""Decode the text of an instance without evaluating it.

    Parameters
    ----------
    text
        The ``repr`` of bytes or of a string, or the plain text of the instance.

    Raises
    ------
    SourceError
        If the text is empty, truncated, or not valid ``repr`` output.

    Examples
    --------
    >>> decoded(r"b'max\n'"), decoded("max\n"), decoded("'max'")
    (b'max\n', b'max\n', b'max')
    """
    quote = text[1:2] if text[:1] == "b" else text[:1]
    if quote not in ("'", '"') or not quote:
        if not text.strip():
            raise SourceError("its text is empty")
        return text.encode("utf-8", "surrogateescape")
    if len(text) < 3 - (text[0] != "b") or text[-1] != quote:
        raise SourceError(f"its text is cut off: the closing quote {quote} is missing")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Python warns about invalid escapes
            if text[0] == "b":
                return b"\\".join(map(_unescaped, text[2:-1].encode("ascii").split(rb"\\")))
            return str(ast.literal_eval(text)).encode("utf-8", "surrogateescape")
    except (ValueError, SyntaxError, MemoryError, Warning) as error:
        raise SourceError(f"its text is not what Python writes for bytes ({error})") from error


def _unescaped(piece: bytes) -> bytes:
    """Replace the escapes in text without escaped backslashes."""
    # Nearly all escapes are line breaks; replace() is ten times as fast as the codec.
    plain = piece.replace(rb"\n", b"\n").replace(rb"\r", b"\r")
    if b"\\" not in plain:
        return plain
    return piece.decode("unicode_escape").encode("latin-1")


def _suffix(content: bytes, declared: str) -> str:
    name = declared.strip().lower().removeprefix(".")
    if not name:
        name = "mps" if _MPS.match(content) else "lp"
    if content.startswith(_GZIP):
        name = f"{name.removesuffix('.gz')}.gz"
    if name not in _FORMATS:
        raise SourceError(f"its format is '{declared}', neither lp nor mps")
    return f".{name}"
